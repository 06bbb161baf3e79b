"""What a soak is made of: servers that fail on cue, servers of real Git that share their repositories, and a Breakwater in front of both that
is watched from outside. Python's standard library only."""

import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

sys.path[:0] = [str(Path(__file__).resolve().parents[1] / name) for name in ("http", "e2e")]

import certificates  # noqa: E402
from git import Git, make_repository  # noqa: E402

HERE = "127.0.0.1"
START_SECONDS_MAX = 20
STOP_SECONDS_MAX = 20
# On each core as few as may be: all of them are soon in use at once, as in a real storm, and from then on memory has no reason to grow.
HEAD_BUFFERS, BULK_BUFFERS, PIPES = 16, 4, 8

CONFIGURATION = """
[listen.plain]
bind = "{here}:0"
pool = "synthetic"
[listen.secure]
bind = "{here}:0"
pool = "synthetic"
tls = "{folder}/certificates"
[pool.synthetic]
servers = [{synthetic}]
[pool.real]
servers = [{real}]
[route.real]
path = "/team/"
pool = "real"
[timeouts]
connect = "2s"
advertise = "4s"
response = "4s"
idle = "4s"
server_idle = "2s"
[limits]
head_buffers = {heads}
bulk_buffers = {bulks}
pipes = {pipes}
[log]
target = "file"
path = "{folder}/access.log"
[admin]
bind = "{here}:0"
"""


class Broken(Exception):
    """Something that the rest of the soak can't do without."""


def ask(address, method, path, body=None):
    """(status, text) of one request."""
    connection = http.client.HTTPConnection(address, timeout=START_SECONDS_MAX)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def free_address():
    with socket.socket() as probe:
        probe.bind((HERE, 0))
        return f"{HERE}:{probe.getsockname()[1]}"


class Program:
    """A process with a file for what it says."""

    def __init__(self, name, folder, command):
        self.name, self.command, self.said = name, [str(word) for word in command], folder / f"{name}.txt"
        self.process = None

    def start(self):
        with open(self.said, "ab") as file:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=file, stderr=file, start_new_session=True)

    def text(self):
        return self.said.read_text(errors="replace")

    def wait_for(self, pattern, count=1, since=0):
        """So many matches in what it has said."""
        until = time.monotonic() + START_SECONDS_MAX
        while len(found := re.findall(pattern, self.text()[since:])) < count:
            if self.process.poll() is not None or time.monotonic() > until:
                raise Broken(f"{self.name} did not say {pattern!r}: {self.text()[-500:]}")
            time.sleep(0.02)
        return found

    def stop(self, number=signal.SIGTERM):
        """With all that it started; returns its status."""
        if self.process is None or self.process.poll() is not None:
            return None
        os.killpg(self.process.pid, number)
        try:
            return self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise Broken(f"{self.name} did not end within {STOP_SECONDS_MAX} s of SIGTERM") from None


class Server(Program):
    """One that can be killed, and started again on its port."""

    def __init__(self, name, folder, command, control=None):
        self.address, self.control = free_address(), control
        super().__init__(name, folder, [*command, "--listen", self.address, *(("--control", control) if control else ())])

    def start(self):
        since = self.said.stat().st_size if self.said.exists() else 0
        super().start()
        self.wait_for("listening on", since=since)

    def order(self, faults, seed):
        for fault in faults:
            status, text = ask(self.control, "PUT", f"/faults?{fault}&seed={seed}")
            if status != 200:
                raise Broken(f"{self.name} takes no {fault}: {text}")

    def take_back(self):
        """The faults that were ordered; returns how many answers each kind has hit."""
        given = Counter()
        for each in json.loads(ask(self.control, "GET", "/faults")[1]):
            given[each["kind"]] += each["given"]
        ask(self.control, "DELETE", "/faults")
        return given


class Proxy(Program):
    def __init__(self, program, folder, synthetic, real):
        self.folder, self.certificates = folder, folder / "certificates"
        self.certificates.mkdir()
        certificates.make(self.certificates, "localhost")
        quoted = [", ".join(f'"{server.address}"' for server in servers) for servers in (synthetic, real)]
        config = folder / "breakwater.toml"
        config.write_text(CONFIGURATION.format(here=HERE, folder=folder, synthetic=quoted[0], real=quoted[1], heads=HEAD_BUFFERS, bulks=BULK_BUFFERS,
                                               pipes=PIPES))
        super().__init__("breakwater", folder, [program, "run", "-f", config, "--cores", 2])
        self.rotations = 0

    def start(self):
        super().start()
        self.plain, self.secure = self.wait_for(r"(?m)^listening on (\S+)$", 2)
        self.admin = self.wait_for(r"(?m)^admin on (\S+)$")[0]

    def metrics(self):
        """Without the prefix that all have."""
        try:
            text = ask(self.admin, "GET", "/metrics")[1]
        except OSError as error:
            time.sleep(1)  # a process that crashes takes its time
            raise Broken(f"the proxy tells no metrics ({error}); its status is {self.process.poll()}: {self.text()[-2000:]}") from error
        values = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name.removeprefix("breakwater_")] = float(value)
        return values

    def resident_kib(self):
        return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())[1])

    def descriptors(self):
        """How many of each kind: sockets, pipes, and what else there is."""
        kinds = Counter()
        for each in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                target = os.readlink(each)
            except FileNotFoundError:
                continue  # closed while we look
            kinds[target.split(":")[0] if target.startswith(("socket:", "pipe:")) else "others"] += 1
        return kinds

    def set_state(self, pool, server, state):
        status, text = ask(self.admin, "POST", f"/servers/{pool}/{server.address}", json.dumps({"state": state}))
        if status != 200:
            raise Broken(f"{server.name} does not become {state}: {text}")

    def log_files(self):
        return sorted(self.folder.glob("access.log*"))

    def rotate(self):
        """Another log file and other certificates, by one SIGHUP; returns what did not come of it."""
        self.rotations += 1
        before = ssl.get_server_certificate(tuple(self.secure.rsplit(":", 1)))
        made = self.folder / "made"
        made.mkdir()
        certificates.make(made, "localhost")
        for each in made.iterdir():
            each.replace(self.certificates / each.name)
        made.rmdir()
        log = self.folder / "access.log"
        log.rename(f"{log}.{self.rotations}")
        self.process.send_signal(signal.SIGHUP)
        until = time.monotonic() + 5
        while time.monotonic() < until:
            if log.exists() and ssl.get_server_certificate(tuple(self.secure.rsplit(":", 1))) != before:
                return []
            time.sleep(0.1)
        return ["SIGHUP brought no other log file" if not log.exists() else "SIGHUP brought no other certificate"]


class Fleet:
    """All of it, started; close() ends it."""

    def __init__(self, build, folder, seed):
        self.folder, self.programs = folder, []
        self.git = Git()
        try:
            self.start(build, seed)
        except BaseException:
            self.close()
            raise

    def start(self, build, seed):
        self.stormgen = build / "loadgen" / "stormgen"
        place = SimpleNamespace(name="origin", root=self.folder / "repositories")
        make_repository(self.git, place, commits=6)
        self.git.run("config", "gc.auto", "0", cwd=place.root / "team/app.git")
        synthetic = [self.stormgen, "origin", "--repositories", 3, "--pack", "512KiB", "--refs", 60, "--rate", "1MiB", "--compute", "20ms", "--seed", seed]
        self.synthetic = [Server(f"synthetic-{number}", self.folder, [*synthetic, "--framing", framing], free_address())
                          for number, framing in enumerate(("nginx", "go"))]
        self.real = [Server(f"real-{number}", self.folder, [build / "loadgen" / "breakwater-origin", "--root", place.root, "--allow-push"])
                     for number in range(2)]
        for server in self.synthetic + self.real:
            self.programs.append(server)
            server.start()
        self.proxy = Proxy(build / "src" / "breakwater", self.folder, self.synthetic, self.real)
        self.programs.append(self.proxy)
        self.proxy.start()

    def storm(self, name, target, seed, settings):
        """A program and where its report will be; `settings` replace lines of the scenario."""
        text = (Path(__file__).parent / f"{name}.toml").read_text()
        for line in settings:
            key = line.split(" = ")[0]
            text, replaced = re.subn(rf"(?m)^{key} = .*$", line, text)
            if replaced == 0:
                text = text.replace("[target]\n", f"[target]\n{line}\n")
        scenario, report = self.folder / f"{name}.toml", self.folder / f"{name}.json"
        scenario.write_text(text)
        report.unlink(missing_ok=True)
        program = Program(f"storm-{name}", self.folder, [self.stormgen, "run", scenario, "--target", target, "--seed", seed, "--json", report])
        self.programs = [each for each in self.programs if each.name != program.name] + [program]
        program.start()
        return program, report

    def close(self):
        for each in reversed(self.programs):
            each.stop(signal.SIGKILL)
        shutil.rmtree(self.git.folder, ignore_errors=True)
