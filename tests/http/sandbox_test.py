"""What a running proxy has given up: capabilities, new privileges, and system calls, in each of its threads."""

import ctypes
import errno
import os
import platform
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

import certificates
from support import BREAKWATER, GET, LOOPBACK, TIMEOUT, Lines, ProxyTest, RawClient, always, main, ok

SANDBOX = re.search(r"(?m)^sandbox: (.*)$", subprocess.run([BREAKWATER, "--version"], capture_output=True, text=True, check=True).stdout)[1]
HAS_FILTER = "sanitizers" not in SANDBOX
ROOT = os.geteuid() == 0
NOBODY = 65534
NET_BIND_SERVICE = 1 << 10
PRIVILEGED_PORTS = int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text(encoding="ascii"))


def status_of(task):
    lines = (Path(task) / "status").read_text(encoding="utf-8").splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


def capabilities_of(status):
    return {name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}


def tasks_of(process):
    return sorted(Path(f"/proc/{process.pid}/task").iterdir())


class Sandbox(ProxyTest):
    def assert_inside(self, process, bounding=0):
        for task in tasks_of(process):
            status = status_of(task)
            with self.subTest(thread=status["Name"]):
                self.assertEqual(capabilities_of(status), {"CapInh": 0, "CapPrm": 0, "CapEff": 0, "CapBnd": bounding, "CapAmb": 0})
                self.assertEqual(status["NoNewPrivs"], "1")
                if HAS_FILTER:
                    self.assertEqual(status["Seccomp"], "2")

    def wait_for_threads(self, process, names):
        """A thread gives itself its name, and may come to it later than the proxy listens."""
        end = time.monotonic() + TIMEOUT
        while not names <= (found := {status_of(task)["Name"] for task in tasks_of(process)}):
            self.assertLess(time.monotonic(), end, found)
            time.sleep(0.01)

    def test_every_thread_is_inside(self):
        bounding = 0 if ROOT else capabilities_of(status_of("/proc/self"))["CapBnd"]  # only who has CAP_SETPCAP may lessen it
        server = self.server(always(ok(b"served")))
        front = self.proxy(server, tables='[dns]\nservers = ["127.0.0.1:1"]', tls=True)
        self.wait_for_threads(front.process, {"core-0", "certificates"})
        self.assert_inside(front.process, bounding)
        self.assertEqual(self.client(front).ask(GET).body, b"served")
        self.assertIn("breakwater_connections_accepted_total", front.admin("/metrics").body.decode())
        self.assert_inside(front.process, bounding)

    def test_it_can_be_left_out(self):
        ours = status_of("/proc/self")
        front = self.proxy(self.server(always(ok())), tables="[process]\nsandbox = false")
        for task in tasks_of(front.process):
            status = status_of(task)
            for name in ("CapEff", "CapPrm", "CapBnd", "NoNewPrivs", "Seccomp"):
                self.assertEqual(status[name], ours[name], name)

    def test_the_same_by_an_option(self):
        process = self.run_by_hand("--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--no-sandbox")
        self.assertIsNotNone(process.lines.wait_for(lambda line: line.startswith("listening on")), process.lines.text())
        self.assertEqual(status_of(f"/proc/{process.pid}")["Seccomp"], status_of("/proc/self")["Seccomp"])

    # ---- started by somebody who may do some things

    def run_by_hand(self, *words, before=(), program=BREAKWATER, preexec_fn=None):
        process = subprocess.Popen([*before, program, "run", "--log", "off", "--cores", "1", *words],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                   preexec_fn=preexec_fn)
        process.lines = Lines(process.stderr)

        def end():
            process.terminate()
            process.wait(TIMEOUT)
            process.lines.thread.join(TIMEOUT)
            process.stderr.close()

        self.addCleanup(end)
        return process

    def program_for_everybody(self):
        """Where it was built others may not look."""
        folder = tempfile.mkdtemp(prefix="breakwater-sandbox-")
        self.addCleanup(shutil.rmtree, folder)
        os.chmod(folder, 0o755)
        return shutil.copy(BREAKWATER, folder)

    def as_nobody(self, *capabilities):
        """Words in front of a command."""
        given = "".join(f",+{name}" for name in capabilities)
        return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", f"--inh-caps=-all{given}",
                f"--ambient-caps=-all{given}"]

    def privileged_port(self):
        ports = list(range(max(1, PRIVILEGED_PORTS - 400), PRIVILEGED_PORTS))
        random.shuffle(ports)  # another run of this test looks for one, too
        for port in ports:
            try:
                socket.create_server((LOOPBACK, port)).close()
            except OSError:
                continue
            return port
        raise unittest.SkipTest("no port needs a capability here")

    @unittest.skipUnless(ROOT and shutil.which("setpriv"), "needs to become somebody else")
    def test_somebody_with_one_capability_binds_a_low_port_and_has_none_afterwards(self):
        port = self.privileged_port()
        server = self.server(always(ok(b"served")))
        words = ("--listen", f"{LOOPBACK}:{port}", "--backend", server.address)
        program = self.program_for_everybody()
        process = self.run_by_hand(*words, before=self.as_nobody("net_bind_service"), program=program)
        self.assertIsNotNone(process.lines.wait_for(lambda line: line.startswith("listening on")), process.lines.text())
        self.assertEqual(status_of(f"/proc/{process.pid}")["Uid"].split()[0], str(NOBODY))
        self.assert_inside(process, bounding=capabilities_of(status_of("/proc/self"))["CapBnd"])
        client = RawClient(port)
        self.clients.append(client)
        self.assertEqual(client.ask(GET).body, b"served")

    @unittest.skipUnless(ROOT and shutil.which("setpriv"), "needs to become somebody else")
    def test_somebody_without_it_is_told_what_is_missing(self):
        words = ("--listen", f"{LOOPBACK}:{self.privileged_port()}", "--backend", f"{LOOPBACK}:1")
        process = self.run_by_hand(*words, before=self.as_nobody(), program=self.program_for_everybody())
        self.assertIsNotNone(process.lines.wait_for(lambda line: "CAP_NET_BIND_SERVICE" in line), process.lines.text())
        self.assertEqual(process.wait(TIMEOUT), 1)

    @unittest.skipUnless(ROOT and shutil.which("setpriv"), "needs to be root, who may not bind low ports")
    def test_root_that_was_denied_a_port_was_told_of_files(self):
        process = self.run_by_hand("--listen", f"{LOOPBACK}:{self.privileged_port()}", "--backend", f"{LOOPBACK}:1",
                                   before=["setpriv", "--bounding-set=-net_bind_service"])
        self.assertEqual(process.wait(TIMEOUT), 1)
        process.lines.thread.join(TIMEOUT)
        self.assertIn("Permission denied (ports below 1024 need CAP_NET_BIND_SERVICE)", process.lines.text())
        self.assertNotIn("privileges are given up", process.lines.text())

    @unittest.skipUnless(ROOT, "needs to be root, who may lock memory")
    def test_the_rings_of_root_do_not_count_as_locked_memory(self):
        """The capability was given up before rings were made: starts failed once the user had some 40 of them."""
        process = self.run_by_hand("--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1",
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_MEMLOCK, (0, 0)))
        self.assertIsNotNone(process.lines.wait_for(lambda line: line.startswith("listening on")), process.lines.text())
        self.assert_inside(process)

    @unittest.skipUnless(ROOT, "needs to be root, who may read all")
    def test_what_root_could_not_read_again_later_fails_at_the_start(self):
        folder = tempfile.mkdtemp(prefix="breakwater-sandbox-")
        self.addCleanup(shutil.rmtree, folder)
        both = (certificates.folder() / "localhost.crt").read_text() + (certificates.folder() / "localhost.key").read_text()
        certificate_folder = Path(folder, "certificates")
        certificate_folder.mkdir()
        pem = certificate_folder / "both.pem"
        pem.write_text(both, encoding="ascii")
        os.chmod(pem, 0o600)
        os.chown(pem, NOBODY, NOBODY)
        config = Path(folder, "breakwater.toml")
        config.write_text(f'[listen.a]\nbind = "{LOOPBACK}:0"\npool = "a"\ntls = "{certificate_folder}"\n[pool.a]\nservers = ["{LOOPBACK}:1"]\n',
                          encoding="ascii")
        process = self.run_by_hand("-f", str(config))
        self.assertIsNotNone(process.lines.wait_for(lambda line: "Permission denied" in line), process.lines.text())
        self.assertIsNotNone(process.lines.wait_for(lambda line: "root's privileges are given up" in line and "--no-sandbox" in line))
        self.assertEqual(process.wait(TIMEOUT), 1)
        checked = subprocess.run([BREAKWATER, "check", "-f", str(config)], capture_output=True, text=True, timeout=TIMEOUT, check=False)
        self.assertEqual(checked.returncode, 2)
        self.assertIn("Permission denied\n  root's privileges are given up", checked.stderr)
        process = self.run_by_hand("-f", str(config), "--no-sandbox")
        self.assertIsNotNone(process.lines.wait_for(lambda line: line.startswith("listening on")), process.lines.text())


class Reading(ProxyTest):
    """Files are read and opened anew from inside; tls_test.py and operation_test.py have the details."""

    def test_certificates_and_log_on_a_signal(self):
        front = self.proxy(self.server(always(ok(b"served"))), tls=True)
        front.signal(signal.SIGHUP)
        self.assertIsNotNone(front.stderr.wait_for(lambda line: "certificates were read again" in line))
        self.assertIsNotNone(front.stderr.wait_for(lambda line: line.startswith("asked to open the log anew:")))
        self.assertEqual(self.client(front).ask(GET).body, b"served")


# Of linux/ptrace.h and linux/seccomp.h; what the kernel calls the machines; and numbers of calls of x86.
PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_SECCOMP_GET_FILTER, WALL = 17, 0x4206, 0x4207, 0x420C, 0x40000000
ENDS, ALLOWED, REFUSED = -0x80000000, 0x7FFF0000, 0x00050000 | errno.EPERM
X86_64, I386, X32_BIT = 0xC000003E, 0x40000003, 0x40000000
READ, IOCTL, GETPID, SETRLIMIT, PRLIMIT64, X32_READV, I386_GETPID = 0, 16, 39, 160, 302, 515, 20


def filters_of(pid):
    """The filters that the kernel has of a process: of each its instructions."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.restype = ctypes.c_long
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]

    def trace(what, address=None, data=None):
        result = libc.ptrace(what, pid, address, data)
        if result < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    trace(PTRACE_SEIZE)
    try:
        trace(PTRACE_INTERRUPT)
        os.waitpid(pid, WALL)
        found = []
        while True:
            try:
                count = trace(PTRACE_SECCOMP_GET_FILTER, len(found))
            except OSError as error:
                if error.errno == errno.ENOENT:
                    return found
                raise
            room = ctypes.create_string_buffer(8 * count)
            trace(PTRACE_SECCOMP_GET_FILTER, len(found), ctypes.addressof(room))
            found.append(list(struct.iter_unpack("=HBBI", room.raw)))
    finally:
        trace(PTRACE_DETACH)


def verdict(instructions, call):
    """What a filter makes of a call (struct seccomp_data), as the kernel runs it."""
    value = at = 0
    while True:
        code, if_so, if_not, operand = instructions[at]
        at += 1
        if code == 0x06:  # return
            return struct.unpack("=i", struct.pack("=I", operand))[0]
        if code == 0x20:  # load
            value = struct.unpack_from("=I", call, operand)[0]
        elif code == 0x54:  # and
            value &= operand
        elif code == 0x05:  # jump
            at += operand
        else:
            at += if_so if {0x15: value == operand, 0x25: value > operand, 0x35: value >= operand, 0x45: value & operand != 0}[code] else if_not


@unittest.skipUnless(HAS_FILTER and platform.machine() == "x86_64", "the filter of x86_64")
class Filter(ProxyTest):
    """What the filter of a proxy that serves says of calls; security/forbidden_calls_test.cc makes others."""

    def setUp(self):
        super().setUp()
        front = self.proxy(self.server(always(ok(b"served"))))
        self.assertEqual(self.client(front).ask(GET).body, b"served")  # so all filters are there
        try:
            self.filters = filters_of(front.process.pid)
        except OSError as error:
            self.skipTest(f"filters can't be read here: {error.strerror}")
        self.assertEqual(self.client(front).ask(GET).body, b"served")

    def verdict(self, number, *arguments, machine=X86_64):
        """The strictest, as the kernel takes it."""
        call = struct.pack("=IIQ6Q", number, machine, 0, *arguments, *[0] * (6 - len(arguments)))
        return min(verdict(instructions, call) for instructions in self.filters)

    def test_calls_of_other_machines_end_it(self):
        self.assertEqual(self.verdict(READ), ALLOWED)
        self.assertEqual(self.verdict(I386_GETPID, machine=I386), ENDS)
        for number in (READ, GETPID, X32_READV):
            self.assertEqual(self.verdict(X32_BIT | number), ENDS)

    def test_an_error_is_all_that_comes_of_other_devices_and_limits(self):
        for what in (termios.TCGETS, termios.FIONREAD, termios.FIONBIO):
            self.assertEqual(self.verdict(IOCTL, 0, what), ALLOWED)
        for what in (termios.TIOCSTI, termios.TCSETS, 0, termios.FIONREAD | 1 << 32):
            self.assertEqual(self.verdict(IOCTL, 0, what), REFUSED)
        somewhere = 0x7FFF0000
        self.assertEqual(self.verdict(PRLIMIT64, 0, resource.RLIMIT_NOFILE, 0, somewhere), ALLOWED)
        self.assertEqual(self.verdict(PRLIMIT64, 0, resource.RLIMIT_NOFILE, somewhere, 0), REFUSED)
        self.assertEqual(self.verdict(PRLIMIT64, 1, resource.RLIMIT_NOFILE, 0, somewhere), REFUSED)
        self.assertEqual(self.verdict(SETRLIMIT), ENDS)


if __name__ == "__main__":
    main()
