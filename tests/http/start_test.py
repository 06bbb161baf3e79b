"""What an operator meets first: the start and what is said when it fails, signals, `check`, a restart."""

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import certificates
from support import BREAKWATER, GET, LOOPBACK, TIMEOUT, Lines, ProxyTest, RawClient, always, main, ok


class StartTest(ProxyTest):
    """Starts Breakwater as an operator does, and not as Proxy does."""

    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp(prefix="breakwater-start-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, *words, before=(), stderr=subprocess.PIPE, **options):
        """A process, with the lines of its standard error."""
        process = subprocess.Popen([*before, BREAKWATER, *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=stderr, **options)
        process.lines = Lines(process.stderr) if process.stderr else None

        def end():
            process.kill()
            process.wait()
            if process.lines:
                process.lines.thread.join(TIMEOUT)
                process.stderr.close()

        self.addCleanup(end)
        return process

    def run_it(self, *words, server=f"{LOOPBACK}:1", **options):
        return self.start("run", "--listen", f"{LOOPBACK}:0", "--backend", server, "--cores", "1", *words, **options)

    def said(self, process, what):
        self.assertIsNotNone(process.lines.wait_for(lambda line: what in line), process.lines.text())

    def say(self, *words):
        """Status, and what is said, of a command that ends by itself."""
        done = subprocess.run([BREAKWATER, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT,
                              check=False)
        return done.returncode, done.stdout + done.stderr


class Signals(ProxyTest):
    def test_those_that_mean_nothing_cut_no_transfer(self):
        """They ended the process at once, and with it every transfer."""
        front = self.proxy(self.server(always(ok(b"served"))))
        client = self.client(front)
        for number in (signal.SIGUSR2, signal.SIGALRM, signal.SIGVTALRM, signal.SIGPIPE):
            front.signal(number)
            self.assertEqual(client.ask(GET).body, b"served", number)
        front.stop()

    def test_usr1_is_hup_for_those_who_know_it_from_elsewhere(self):
        front = self.proxy(self.server(always(ok(b"served"))))
        client = self.client(front)
        front.signal(signal.SIGUSR1)
        self.assertIsNotNone(front.stderr.wait_for(lambda line: "log file" in line), front.stderr.text())
        self.assertEqual(client.ask(GET).body, b"served")

    def test_quit_drains(self):
        """It dumped core."""
        front = self.proxy(self.server(always(ok(b"served"))))
        self.assertEqual(self.client(front).ask(GET).body, b"served")
        front.signal(signal.SIGQUIT)
        self.assertEqual(front.wait_exit(), 0)
        self.assertIn("draining", front.stderr.text())


class Descriptors(StartTest):
    def test_few_are_said_with_their_cure(self):
        process = self.run_it("--log", "off", before=("sh", "-c", 'ulimit -n 1024; exec "$@"', "sh"))
        self.said(process, "warning: each core takes 192 client connections at most, and not 10000 as configured")
        self.said(process, "LimitNOFILE")

    def test_a_closed_standard_error_became_the_access_log(self):
        server = self.server(always(ok(b"served")))
        log, admin = self.folder / "access.log", self.folder / "admin"
        process = self.run_it("--log", str(log), "--admin", f"unix:{admin}", server=server.address, stderr=None,
                              before=("sh", "-c", 'exec "$@" 0<&- 1>&- 2>&-', "sh"))
        port = self.port_of_process(process)
        client = RawClient(port)
        self.clients.append(client)
        self.assertEqual(client.ask(GET).body, b"served")
        for fd in range(3):
            self.assertEqual(os.readlink(f"/proc/{process.pid}/fd/{fd}"), "/dev/null")
        process.terminate()  # it says that it drains
        self.assertEqual(process.wait(TIMEOUT), 0)
        self.assertEqual([json.loads(line)["status"] for line in log.read_text(encoding="utf-8").splitlines()], [200])

    def port_of_process(self, process):
        """Where it listens, of one that can't say so: the kernel knows."""
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            inodes = set()
            for fd in Path(f"/proc/{process.pid}/fd").iterdir():
                try:
                    inodes.add(os.readlink(fd))
                except OSError:
                    continue
            for line in Path(f"/proc/{process.pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
                words = line.split()
                if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
                    return int(words[1].split(":")[1], 16)
            time.sleep(0.01)
        self.fail("it listens nowhere")


class Check(StartTest):
    def test_a_file_that_could_not_start_was_called_ok(self):
        config = self.folder / "breakwater.toml"
        text = (f'[listen.a]\nbind = "{LOOPBACK}:0"\ntls = "{self.folder}/certificates"\n[pool.a]\nservers = ["{LOOPBACK}:1"]\n'
                f'[log]\ntarget = "file"\npath = "{self.folder}/logs/access.log"\n')
        config.write_text(text, encoding="utf-8")
        status, said = self.say("check", "-f", str(config))
        self.assertEqual(status, 2)
        self.assertIn("[listen.a] can't speak TLS:", said)
        self.assertIn("there is no folder", said)
        shutil.copytree(certificates.folder(), self.folder / "certificates")
        (self.folder / "logs").mkdir()
        status, said = self.say("check", "-f", str(config))
        self.assertEqual((status, said), (0, f"{config}: ok: 1 listener, 1 pool, 1 server\n"))


class Words(StartTest):
    def test_what_does_not_arrive_was_called_printed(self):
        config = self.folder / "breakwater.toml"
        config.write_text(f'[listen.a]\nbind = "{LOOPBACK}:0"\n[pool.a]\nservers = ["{LOOPBACK}:1"]\n', encoding="ascii")
        for words in (("--version",), ("--help",), ("check", "-f", str(config))):
            with open("/dev/full", "w", encoding="ascii") as full:
                done = subprocess.run([BREAKWATER, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT, check=False)
            self.assertEqual((done.returncode, done.stderr), (1, "breakwater: standard output can't be written: No space left on device\n"))

    def test_ctl_says_what_may_be_missing(self):
        status, said = self.say("ctl", "-s", f"unix:{self.folder}/admin.sock", "servers")
        self.assertEqual(status, 1)
        self.assertIn("No such file or directory (does Breakwater run with [admin] bind or --admin? -s says where)", said)


if __name__ == "__main__":
    main()
