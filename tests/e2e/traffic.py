"""A steady stream of real git operations, a fault in the middle, and what the clients noticed of it.

A Scenario starts three real servers over copies of one repository and a Breakwater in front. play() runs the stream,
calls the fault once some operations have ended, checks every clone and every list of refs against the origin, prints
one line, and appends it as JSON to $BREAKWATER_SCENARIOS. Nothing here sleeps. Python's standard library only.
"""

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
import unittest
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git  # noqa: E402
from servers import Apache, Nginx, Origin  # noqa: E402
from support import Proxy  # noqa: E402

REPOSITORY = "team/app.git"
WORKERS = 8
OPERATION_SECONDS_MAX = 8
FAILURES_MAX = 16  # more say nothing new, and take their time
OPERATIONS_MAX_RATIO = 5  # times those asked for, until the fault has struck as often as wanted
COMMITS = 200
BLOB_BYTES = 10_000
DELAYED_AT_RATIO = 4  # times the median of its kind before the fault


def import_history(git, bare):
    """Some hundred commits of incompressible files, a branch, an annotated and a light tag."""
    git.run("init", "-q", "--bare", bare)
    script = []
    for number in range(COMMITS):
        script.append(b"commit refs/heads/main\ncommitter Ada <ada@example.org> %d +0000\ndata 4\ntext\n" % (10**9 + number))
        script.append(b"M 100644 inline d%d/f%d\ndata %d\n" % (number % 7, number, BLOB_BYTES) + os.urandom(BLOB_BYTES) + b"\n")
        if number == COMMITS // 2:
            script.append(b"reset refs/heads/side\nfrom refs/heads/main\n\nreset refs/tags/light\nfrom refs/heads/main\n\n"
                          b"tag v1\nfrom refs/heads/main\ntagger Ada <ada@example.org> 1000000000 +0000\ndata 3\none\n")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=bare, env=git.environment, input=b"".join(script), check=True)
    for key, value in (("http.receivepack", "true"), ("core.compression", "0"), ("pack.threads", "1"), ("gc.auto", "0")):
        git.run("config", key, value, cwd=bare)


def all_refs(git, repository):
    return git.out("for-each-ref", "--format=%(objectname) %(refname)", cwd=repository)


@dataclass
class Operation:
    number: int
    kind: str
    began: float = 0.0
    ended: float = 0.0
    status: int = 0
    error: str = ""    # what git said
    corrupt: str = ""  # what is wrong with what git called done
    entries: list = field(default_factory=list)  # of the access log

    @property
    def agent(self):
        return f"git/e2e-{self.number}"

    @property
    def failed(self):
        return self.status != 0

    @property
    def body_was_cut(self):
        return any(entry["phase"] == "response_body" and entry["ended_by"] == "server" for entry in self.entries)

    @property
    def went_elsewhere(self):
        return any(entry["attempts"] > 1 for entry in self.entries)

    def __str__(self):
        log = "\n  ".join(json.dumps(entry) for entry in self.entries)
        return f"{self.number} {self.kind}, {self.ended - self.began:.2f} s, status {self.status}: {self.error.strip()}\n  {log}"


class Reads:
    """ls-remote, clone --depth 1, clone, fetch, and so on; each result is compared with `origin`, the true repository."""

    kinds = ("ls-remote", "shallow clone", "clone", "fetch")

    def __init__(self, git, url, origin, verbosity="--quiet", protocol=2):
        self.git, self.url, self.origin, self.verbosity = git, url, origin, verbosity
        self.options = ("-c", f"protocol.version={protocol}")
        self.folder = git.folder / "clones"
        self.folder.mkdir()
        self.listed, self.refs, self.main = git.refs(origin), all_refs(git, origin), git.out("rev-parse", "main", cwd=origin)
        self.behind = git.folder / "behind.git"
        git.run("init", "-q", "--bare", self.behind)
        git.run("fetch", "-q", origin, "side:side", cwd=self.behind)

    def run(self, operation):
        target = self.folder / str(operation.number)
        words = {"ls-remote": ("ls-remote", self.url),
                 "shallow clone": ("clone", self.verbosity, "--bare", "--depth", "1", self.url, target),
                 "clone": ("clone", self.verbosity, "--bare", self.url, target),
                 "fetch": ("-C", target, "fetch", self.verbosity, self.url, "+refs/*:refs/*")}[operation.kind]
        if operation.kind == "fetch":
            shutil.copytree(self.behind, target)
        printed = run_timed(self.git, operation, *self.options, *words)
        if operation.kind != "ls-remote":
            operation.corrupt = self.fault_of(operation, target)
            shutil.rmtree(target, ignore_errors=True)
        elif not operation.failed and printed.strip() != self.listed:
            operation.corrupt = f"other refs: {printed}"

    def fault_of(self, operation, target):
        if not target.exists():
            return "" if operation.failed else "git says it is done, and nothing is there"
        checked = self.git.run("fsck", "--full", "--no-progress", cwd=target, check=False)
        if checked.returncode != 0:
            return checked.stdout + checked.stderr
        if operation.failed:
            return ""
        if operation.kind == "shallow clone":
            here = self.git.out("rev-parse", "main", cwd=target)
            return "" if here == self.main else f"another main: {here}"
        here = all_refs(self.git, target)
        return "" if here == self.refs else f"other refs: {here}"


def run_timed(git, operation, *words):
    """Returns what git printed."""
    operation.began = time.monotonic()
    process = subprocess.Popen(["git", "-c", f"http.userAgent={operation.agent}", *map(str, words)], cwd=git.folder,
                               env=git.environment, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, start_new_session=True)
    try:
        printed, operation.error = process.communicate(timeout=OPERATION_SECONDS_MAX)
        operation.status = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        printed, _ = process.communicate()
        operation.status, operation.error = -1, f"still running after {OPERATION_SECONDS_MAX} s"
    operation.ended = time.monotonic()
    return printed


class Stream:
    """`count` operations by WORKERS threads, and more until enough(); `work` has kinds and run(operation)."""

    def __init__(self, work, count, enough=lambda: True):
        self.work, self.count, self.enough = work, count, enough
        self.done, self.begun = [], 0
        self.running, self.errors = WORKERS, []
        self.changed = threading.Condition()
        self.threads = [threading.Thread(target=self.loop, daemon=True) for _ in range(WORKERS)]
        for thread in self.threads:
            thread.start()

    @property
    def ended(self):
        return self.running == 0

    def loop(self):
        try:
            while True:
                with self.changed:
                    number, self.begun = self.begun, self.begun + 1
                    failed = sum(operation.failed for operation in self.done)
                is_last = number >= self.count and self.enough() or number >= OPERATIONS_MAX_RATIO * self.count
                if is_last or failed >= FAILURES_MAX:
                    return
                operation = Operation(number, self.work.kinds[number % len(self.work.kinds)])
                self.work.run(operation)
                with self.changed:
                    self.done.append(operation)
                    self.changed.notify_all()
        except BaseException as error:  # the test must hear of it
            self.errors.append(error)
        finally:
            with self.changed:
                self.running -= 1
                self.changed.notify_all()

    def wait_for(self, ended):
        """Until so many operations have ended since the start."""
        with self.changed:
            self.changed.wait_for(lambda: self.errors or self.ended or len(self.done) >= min(ended, self.count))
        if self.errors:
            raise self.errors[0]

    def finish(self):
        with self.changed:
            self.changed.wait_for(lambda: self.errors or self.ended)
        if self.errors:
            raise self.errors[0]
        for thread in self.threads:
            thread.join()
        return self.done


class Scenario(unittest.TestCase):
    operations, before = 120, 40

    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.origin = cls.git.folder / "origin.git"
        import_history(cls.git, cls.origin)

    def setUp(self):
        self.git = self.enterContext(Git())

    def start_server(self, kind):
        server = kind()
        shutil.copytree(self.origin, server.root / REPOSITORY)
        return self.enterContext(server)

    def start(self, front=None, tables=""):
        """Three servers and a Breakwater; `front` makes of the first one what stands before it."""
        self.servers = [self.start_server(kind) for kind in (Apache, Nginx, Origin)]
        self.relay = self.enterContext(front(self.servers[0])) if front else None
        self.start_proxy([self.relay, *self.servers[1:]] if front else self.servers, tables)

    def start_proxy(self, servers, tables=""):
        self.proxy = self.enterContext(Proxy(servers, tables=tables, cores=2))
        self.url = f"http://127.0.0.1:{self.proxy.port}/{REPOSITORY}"

    def play(self, name, fault, heal=lambda: None, work=None, enough=lambda: True):
        """The stream with the fault in it. `fault` gets the stream, and may wait for more operations to end.

        `heal` frees what a fault left hanging, so that the proxy can end. Which server an operation gets is the
        balancer's affair: the stream goes on until `enough` is true.
        """
        stream = Stream(work or Reads(self.git, self.url, self.origin), self.operations, enough)
        stream.wait_for(self.before)
        self.fault_at = time.monotonic()
        try:
            fault(stream)
        finally:
            self.done = stream.finish()
            heal()
        self.proxy.stop()
        by_agent = {operation.agent: operation for operation in self.done}
        for entry in self.proxy.log_lines():
            if entry.get("user_agent") in by_agent:  # a probe has another
                by_agent[entry["user_agent"]].entries.append(entry)
        self.judge(name)

    def judge(self, name):
        harmed = set(self.relay.harmed) if self.relay else set()
        failed = [operation for operation in self.done if operation.failed]
        self.cut = [operation for operation in failed if operation.body_was_cut or self.was_cut(operation, harmed)]
        self.failed = [operation for operation in failed if operation not in self.cut]
        self.corrupt = [operation for operation in self.done if operation.corrupt]
        verdict = {"scenario": name, "operations": len(self.done), "failed": len(self.failed), "cut": len(self.cut),
                   "corrupt": len(self.corrupt), "saved": sum(operation.went_elsewhere for operation in self.done),
                   "last_noticed_s": round(self.last_noticed_s(), 2)}
        print(f"{name}: operations {verdict['operations']}, failed {verdict['failed']}, cut {verdict['cut']}, "
              f"corrupt {verdict['corrupt']}, saved {verdict['saved']}, last noticed after {verdict['last_noticed_s']} s", flush=True)
        if path := os.environ.get("BREAKWATER_SCENARIOS"):
            with open(path, "a", encoding="utf-8") as file:
                file.write(json.dumps(verdict) + "\n")
        self.assertEqual([], [f"{operation}\n{operation.corrupt}" for operation in self.corrupt])
        self.assertEqual([], [str(operation) for operation in failed if not operation.error.strip()], "failed in silence")

    def was_cut(self, operation, harmed):
        """By a fault that the proxy can't know of. Only a scenario that has one says more."""
        return False

    def last_noticed_s(self):
        """From the fault to the end of the last operation that failed or was delayed."""
        usual = {}
        for operation in self.done:
            if operation.ended <= self.fault_at:
                usual.setdefault(operation.kind, []).append(operation.ended - operation.began)
        usual = {kind: statistics.median(times) for kind, times in usual.items()}
        noticed = [operation.ended - self.fault_at for operation in self.done if operation.ended > self.fault_at and (
            operation.failed or operation.ended - operation.began > DELAYED_AT_RATIO * usual.get(operation.kind, 1e9))]
        return max(noticed, default=0.0)

    def assert_none_failed(self):
        self.assertEqual([], [str(operation) for operation in self.failed])

    def assert_nothing_noticed(self):
        self.assertEqual([], [str(operation) for operation in self.failed + self.cut])

