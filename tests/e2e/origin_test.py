#!/usr/bin/env python3
"""breakwater-origin by itself: real git clones, fetches and pushes against it, and raw bytes where git is too polite.

    origin_test.py BREAKWATER_ORIGIN

The other end-to-end tests and the demonstration trust this server, so it is tested without anything in front.
Python's standard library and git only.
"""

import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from processes import children  # noqa: E402

ORIGIN = None  # the program, from the command line
GIT_SECONDS_MAX = 60


def git_environment(home):
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") and not k.lower().endswith("_proxy")}
    return kept | {
        "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": "ada@example.org", "LC_ALL": "C",
    }


class Origin:
    def __init__(self, root, *options):
        self.process = subprocess.Popen([ORIGIN, "--root", root, "--listen", "127.0.0.1:0", *options],
                                        stderr=subprocess.PIPE, text=True, env=git_environment(root))
        line = self.process.stderr.readline()
        found = re.fullmatch(r"listening on (127\.0\.0\.1):(\d+)\n", line)
        assert found, f"unexpected first line: {line!r}"
        self.address = (found[1], int(found[2]))
        self.url = f"http://{found[1]}:{found[2]}"

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(10)
        finally:
            self.process.kill()
            self.process.stderr.close()

    def connect(self):
        return socket.create_connection(self.address, timeout=20)

    def children(self):
        """The ids of running children (git processes)."""
        return [int(child) for child in children(self.process.pid)]


def wait_until(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def read_all(connection):
    """Everything until the server ends; and whether it ended in an orderly way."""
    received = b""
    try:
        while True:
            part = connection.recv(65536)
            if not part:
                return received, True
            received += part
    except ConnectionResetError:
        return received, False


class Responses:
    """Reads one response after another from a connection."""

    def __init__(self, connection):
        self.file = connection.makefile("rb")

    def next(self, head_only=False):
        status = int(self.file.readline().split()[1])
        fields = {}
        while (line := self.file.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            fields[name.lower()] = value.strip()
        body = b""
        if head_only or status < 200:
            pass
        elif fields.get("transfer-encoding") == "chunked":
            while (size := int(self.file.readline(), 16)) > 0:
                assert size <= 32 * 1024
                body += self.file.read(size)
                assert self.file.readline() == b"\r\n"
            assert self.file.readline() == b"\r\n"
        elif "content-length" in fields:
            body = self.file.read(int(fields["content-length"]))
        else:
            body = self.file.read()
        return status, fields, body


class OriginCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory(prefix="breakwater-origin-")
        cls.addClassCleanup(holder.cleanup)
        cls.folder = Path(holder.name)
        cls.environment = git_environment(cls.folder)
        cls.served = cls.folder / "served"
        cls.make_repository()
        cls.origin = Origin(cls.served, "--allow-push")
        cls.addClassCleanup(cls.origin.stop)
        cls.url = cls.origin.url + "/team/sample.git"
        cls.counter = 0

    @classmethod
    def git(cls, *words, at=None, may_fail=False):
        ran = subprocess.run(["git", *map(str, words)], cwd=at, env=cls.environment, stdin=subprocess.DEVNULL,
                             capture_output=True, timeout=GIT_SECONDS_MAX, check=False)
        if may_fail:
            return ran
        if ran.returncode != 0:
            raise AssertionError(f"git {words}: {ran.stderr.decode()}")
        return ran.stdout.decode()

    @classmethod
    def make_repository(cls):
        work = cls.folder / "work"
        cls.git("init", "-q", "-b", "main", work)
        for number in range(40):
            (work / f"file-{number}").write_bytes(os.urandom(20_000))
            cls.git("add", ".", at=work)
            cls.git("commit", "-q", "-m", f"commit {number}", at=work)
        cls.git("branch", "topic", "HEAD~5", at=work)
        cls.git("tag", "-a", "v1", "-m", "first", at=work)
        cls.bare = cls.served / "team" / "sample.git"
        cls.git("clone", "-q", "--bare", work, cls.bare)
        (cls.folder / "secret.git").mkdir()

    def new_folder(self):
        OriginCase.counter = getattr(OriginCase, "counter", 0) + 1
        return self.folder / f"{type(self).__name__}-{OriginCase.counter}"

    def clone(self, *options, url=None):
        to = self.new_folder()
        self.git(*options, "clone", "-q", url or self.url, to)
        return to

    def talk(self, request):
        """Sends raw bytes, returns everything that comes and whether the end was orderly."""
        with self.origin.connect() as connection:
            connection.sendall(request)
            return read_all(connection)

    def ask(self, request, head_only=False):
        with self.origin.connect() as connection:
            connection.sendall(request)
            return Responses(connection).next(head_only)


class WithGit(OriginCase):
    def test_clone_fetch_push_in_every_protocol(self):
        for version in "012":
            with self.subTest(protocol=version):
                options = ["-c", f"protocol.version={version}"]
                clone = self.clone(*options)
                self.git("fsck", "--strict", at=clone)
                direct = self.git("ls-remote", self.bare)
                self.assertEqual(direct, self.git(*options, "ls-remote", self.url))

                (clone / "new").write_text(f"by version {version}\n")
                self.git("add", ".", at=clone)
                self.git("commit", "-q", "-m", "new", at=clone)
                self.git(*options, "push", "-q", "origin", "HEAD:main", at=clone)
                head = self.git("rev-parse", "HEAD", at=clone)
                self.assertEqual(head, self.git("rev-parse", "main", at=self.bare))

                other = self.clone(*options)
                self.git("commit", "-q", "--allow-empty", "-m", "more", at=clone)
                self.git(*options, "push", "-q", "origin", "HEAD:main", "HEAD:refs/heads/passing", at=clone)
                self.git(*options, "fetch", "-q", "origin", at=other)
                self.assertEqual(self.git("rev-parse", "HEAD", at=clone),
                                 self.git("rev-parse", "origin/main", at=other))
                self.git(*options, "push", "-q", "origin", ":refs/heads/passing", at=clone)
                self.git("fsck", "--strict", at=other)
                self.git("fsck", "--strict", at=self.bare)

    def test_the_protocol_asked_for_is_the_one_spoken(self):
        for version, sign in (("0", "# service=git-upload-pack"), ("1", "version 1"), ("2", "version 2")):
            environment = self.environment | {"GIT_TRACE_PACKET": "1"}
            ran = subprocess.run(["git", "-c", f"protocol.version={version}", "ls-remote", self.url], env=environment,
                                 capture_output=True, text=True, timeout=GIT_SECONDS_MAX, check=True)
            self.assertIn(sign, ran.stderr)
            self.assertEqual(version == "2", "version 2" in ran.stderr)

    def test_shallow_and_single_branch(self):
        to = self.new_folder()
        self.git("clone", "-q", "--depth", "3", "--branch", "topic", self.url, to)
        self.assertEqual("3", self.git("rev-list", "--count", "HEAD", at=to).strip())
        self.git("fetch", "-q", "--unshallow", at=to)
        self.git("fsck", "--strict", at=to)
        for version in "01":
            to = self.new_folder()
            self.git("-c", f"protocol.version={version}", "clone", "-q", "--depth", "2", self.url, to)
            self.git("fsck", "--strict", at=to)

    def test_big_push_is_sent_in_chunks(self):
        clone = self.clone()
        (clone / "big").write_bytes(os.urandom(5_000_000))
        self.git("add", ".", at=clone)
        self.git("commit", "-q", "-m", "big", at=clone)
        trace = self.folder / "trace"
        environment = self.environment | {"GIT_TRACE_CURL": str(trace), "GIT_TRACE_CURL_NO_DATA": "1"}
        subprocess.run(["git", "push", "-q", "origin", "HEAD:refs/heads/big"], cwd=clone, env=environment,
                       capture_output=True, timeout=GIT_SECONDS_MAX, check=True)
        self.assertIn("Transfer-Encoding: chunked", trace.read_text())
        self.git("fsck", "--strict", at=self.bare)
        again = self.clone()
        self.assertEqual(self.git("rev-parse", "HEAD", at=clone), self.git("rev-parse", "origin/big", at=again))

    def test_gzipped_negotiation(self):
        # Enough haves to go over the 1 KiB from which git compresses a request.
        clone = self.clone()
        for number in range(60):
            self.git("commit", "-q", "--allow-empty", "-m", f"mine {number}", at=clone)
        other = self.clone()
        self.git("commit", "-q", "--allow-empty", "-m", "theirs", at=other)
        self.git("push", "-q", "origin", "HEAD:refs/heads/theirs", at=other)
        trace = self.folder / "trace-gzip"
        environment = self.environment | {"GIT_TRACE_CURL": str(trace), "GIT_TRACE_CURL_NO_DATA": "1"}
        subprocess.run(["git", "fetch", "-q", "origin"], cwd=clone, env=environment, capture_output=True,
                       timeout=GIT_SECONDS_MAX, check=True)
        self.assertIn("Content-Encoding: gzip", trace.read_text())
        self.git("fsck", "--strict", at=clone)

    def test_hook_that_refuses_is_heard(self):
        hook = self.bare / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho not today >&2\nexit 1\n")
        hook.chmod(0o755)
        try:
            clone = self.clone()
            self.git("commit", "-q", "--allow-empty", "-m", "refused", at=clone)
            ran = self.git("push", "origin", "HEAD:refs/heads/refused", at=clone, may_fail=True)
            self.assertNotEqual(0, ran.returncode)
            self.assertIn(b"remote: not today", ran.stderr)
        finally:
            hook.unlink()

    def test_dumb_clone(self):
        for repack in (False, True):
            if repack:
                self.git("repack", "-adq", at=self.bare)
            to = self.new_folder()
            subprocess.run(["git", "clone", "-q", self.url, to], env=self.environment | {"GIT_SMART_HTTP": "0"},
                           capture_output=True, timeout=GIT_SECONDS_MAX, check=True)
            self.git("fsck", "--strict", at=to)
            self.assertEqual(self.git("rev-parse", "main", at=self.bare), self.git("rev-parse", "HEAD", at=to))

    def test_pushing_must_be_allowed(self):
        closed = Origin(self.served)
        try:
            clone = self.clone(url=closed.url + "/team/sample.git")
            self.git("commit", "-q", "--allow-empty", "-m", "no", at=clone)
            ran = self.git("push", "origin", "HEAD:refs/heads/no", at=clone, may_fail=True)
            self.assertIn(b"403", ran.stderr)
        finally:
            self.assertEqual(0, closed.stop())

    def test_many_clones_at_once(self):
        runs = [subprocess.Popen(["git", "clone", "-q", self.url, self.new_folder()], env=self.environment,
                                 stderr=subprocess.PIPE) for _ in range(16)]
        for run in runs:
            _, errors = run.communicate(timeout=GIT_SECONDS_MAX)
            self.assertEqual(0, run.returncode, errors)

    def test_without_git_suffix(self):
        self.assertEqual(self.git("ls-remote", self.bare), self.git("ls-remote", self.origin.url + "/team/sample"))


UPLOAD = b"POST /team/sample.git/git-upload-pack HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-git-upload-pack-request\r\n"
V2_LS_REFS = b"0014command=ls-refs\n00010009peel\n0000"


class WithRawBytes(OriginCase):
    def test_health_and_listing(self):
        status, fields, body = self.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual((200, b"ok\n"), (status, body))
        status, fields, body = self.ask(b"GET / HTTP/1.1\r\nHost: x:1\r\n\r\n")
        self.assertEqual(200, status)
        self.assertIn("text/html", fields["content-type"])
        self.assertIn(b"http://x:1/team/sample.git", body)
        self.assertNotIn(b"secret", body)

    def test_head(self):
        whole = self.ask(b"GET /team/sample.git/HEAD HTTP/1.1\r\nHost: x\r\n\r\n")
        with self.origin.connect() as connection:
            connection.sendall(b"HEAD /team/sample.git/HEAD HTTP/1.1\r\nHost: x\r\n\r\n"
                               b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            responses = Responses(connection)
            status, fields, _ = responses.next(head_only=True)
            self.assertEqual((200, str(len(whole[2]))), (status, fields["content-length"]))
            self.assertEqual(200, responses.next()[0])

    def test_refusals_are_plain_text(self):
        for line, expected in ((b"GET /nothing.git/info/refs?service=git-upload-pack", 404),
                               (b"GET /team/sample.git/config", 404),
                               (b"GET /team/sample.git/objects/info/alternates", 404),
                               (b"GET /team/sample.git/info/refs?service=git-lfs", 403),
                               (b"DELETE /team/sample.git/HEAD", 405),
                               (b"GET /team/sample.git/git-upload-pack", 405),
                               (b"POST /team/sample.git/git-upload-pack", 415),
                               (b"GET /%zz", 400)):
            with self.subTest(line=line):
                status, fields, body = self.ask(line + b" HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertEqual(expected, status)
                self.assertIn("text/plain", fields["content-type"])
                self.assertTrue(body.startswith(b"breakwater-origin: "))

    def test_nothing_outside_the_root(self):
        (self.served / "way-out.git").symlink_to(self.folder / "work" / ".git")
        (self.served / "gitdir").symlink_to(self.folder)
        for path in (b"/../work/.git/HEAD", b"/team/../../work/.git/HEAD", b"/%2e%2e/work/.git/HEAD",
                     b"/team%2f..%2f..%2fwork%2f.git/HEAD", b"//work/.git/HEAD", b"/way-out.git/HEAD",
                     b"/gitdir/work/.git/HEAD", b"/team/sample.git/objects/../config", b"/team/./sample.git/HEAD"):
            with self.subTest(path=path):
                self.assertIn(self.ask(b"GET " + path + b" HTTP/1.1\r\nHost: x\r\n\r\n")[0], (400, 404))

    def test_keep_alive_and_pipelining(self):
        with self.origin.connect() as connection:
            one = UPLOAD + b"Git-Protocol: version=2\r\nContent-Length: %d\r\n\r\n" % len(V2_LS_REFS) + V2_LS_REFS
            connection.sendall(one * 3 + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            responses = Responses(connection)
            answers = [responses.next() for _ in range(3)]
            self.assertTrue(all(status == 200 and b"refs/heads/main" in body for status, _, body in answers))
            self.assertEqual(b"ok\n", responses.next()[2])

    def test_chunked_and_gzipped_request(self):
        packed = gzip.compress(V2_LS_REFS)
        body = b"".join(b"%x\r\n%c\r\n" % (1, byte) for byte in packed) + b"0\r\nX-Trailer: yes\r\n\r\n"
        with self.origin.connect() as connection:
            connection.sendall(UPLOAD + b"Git-Protocol: version=2\r\nContent-Encoding: gzip\r\n"
                               b"Transfer-Encoding: chunked\r\n\r\n" + body + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            responses = Responses(connection)
            self.assertIn(b"refs/heads/main", responses.next()[2])
            self.assertEqual(b"ok\n", responses.next()[2])

    def test_broken_gzip_is_refused(self):
        packed = gzip.compress(V2_LS_REFS)
        for body in (packed[:-9], b"not gzip at all", packed + b"more"):
            with self.subTest(body=body):
                status = self.ask(UPLOAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)[0]
                self.assertEqual(400, status)
        self.assertTrue(wait_until(lambda: not self.origin.children()))

    def test_expect_continue(self):
        with self.origin.connect() as connection:
            connection.sendall(UPLOAD + b"Git-Protocol: version=2\r\nExpect: 100-continue\r\nContent-Length: %d\r\n\r\n"
                               % len(V2_LS_REFS))
            responses = Responses(connection)
            self.assertEqual(100, responses.next()[0])
            connection.sendall(V2_LS_REFS)
            self.assertEqual(200, responses.next()[0])
        with self.origin.connect() as connection:
            connection.sendall(UPLOAD.replace(b"sample", b"absent") + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            self.assertEqual(404, Responses(connection).next()[0])

    def test_http_1_0(self):
        received, orderly = self.talk(b"GET /team/sample.git/info/refs?service=git-upload-pack HTTP/1.0\r\n\r\n")
        self.assertTrue(orderly)
        head, _, body = received.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertTrue(body.startswith(b"001e# service=git-upload-pack\n0000"))
        self.assertTrue(body.endswith(b"0000"))

    def test_odd_protocol_header_is_left_out(self):
        for value in (b"version=2;rm", b"version=2 x", b"a" * 300):
            status, _, body = self.ask(b"GET /team/sample.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: x\r\n"
                                       b"Git-Protocol: " + value + b"\r\n\r\n")
            self.assertEqual(200, status)
            self.assertTrue(body.startswith(b"001e# service"), body[:40])

    def test_git_failing_at_once_is_a_500(self):
        bad = b"zzzz"
        status = self.ask(UPLOAD + b"Content-Length: %d\r\n\r\n" % len(bad) + bad)[0]
        self.assertEqual(500, status)
        self.assertTrue(wait_until(lambda: not self.origin.children()))

    def test_git_failing_midway_leaves_the_answer_unfinished(self):
        # A pack that is not what its index says: upload-pack starts to answer, then fails.
        broken = self.served / "broken.git"
        self.git("clone", "-q", "--bare", self.bare, broken)
        tree = self.git("rev-parse", "main^{tree}", at=broken).strip()
        self.git("unpack-objects", "-q", at=broken, may_fail=True)
        for pack in (broken / "objects" / "pack").glob("*.pack"):
            moved = self.folder / pack.name
            pack.rename(moved)
            pack.with_suffix(".idx").unlink()
            with moved.open("rb") as stream:
                subprocess.run(["git", "unpack-objects", "-q"], cwd=broken, env=self.environment, stdin=stream, check=True)
        (broken / "objects" / tree[:2] / tree[2:]).unlink(missing_ok=True)
        head = self.git("rev-parse", "main", at=broken).strip().encode()
        want = b"0032want " + head + b"\n"
        body = b"0011command=fetch0001" + b"0009done\n" + want + b"0000"
        with self.origin.connect() as connection:
            connection.sendall(UPLOAD.replace(b"team/sample", b"broken") + b"Git-Protocol: version=2\r\n"
                               b"Content-Length: %d\r\n\r\n" % len(body) + body)
            received, _ = read_all(connection)
        self.assertIn(b" 200 ", received[:20])
        self.assertIn(b"packfile", received)
        self.assertFalse(received.endswith(b"0\r\n\r\n"))

    def test_client_that_leaves_stops_git(self):
        connection = self.origin.connect()
        connection.sendall(UPLOAD + b"Git-Protocol: version=2\r\nContent-Length: 1000000\r\n\r\n0014command=ls-refs\n")
        self.assertTrue(wait_until(self.origin.children), "git was not started")
        connection.close()
        self.assertTrue(wait_until(lambda: not self.origin.children()), "git is still running")

    def test_stop_with_a_transfer_in_flight(self):
        origin = Origin(self.served)
        with origin.connect() as connection:
            connection.sendall(UPLOAD + b"Content-Length: 1000000\r\n\r\n0014")
            self.assertTrue(wait_until(origin.children), "git was not started")
            children = origin.children()
            started = time.monotonic()
            self.assertEqual(0, origin.stop())
            self.assertLess(time.monotonic() - started, 5)
            for child in children:
                self.assertFalse(Path(f"/proc/{child}").exists())

    def test_memory_stays_flat(self):
        def resident_kib():
            status = Path(f"/proc/{self.origin.process.pid}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

        clone = self.clone()
        (clone / "big").write_bytes(os.urandom(40_000_000))
        self.git("add", ".", at=clone)
        self.git("-c", "core.compression=0", "commit", "-q", "-m", "big", at=clone)
        before = resident_kib()
        self.git("push", "-q", "origin", "HEAD:refs/heads/forty-megabytes", at=clone)
        self.clone()
        self.git("push", "-q", "origin", ":refs/heads/forty-megabytes", at=clone)
        # The sanitizers keep freed memory for a while, hence the room.
        self.assertLess(resident_kib() - before, 24 * 1024)


class CommandLine(unittest.TestCase):
    def run_origin(self, *words):
        return subprocess.run([ORIGIN, *words], capture_output=True, text=True, timeout=20, check=False)

    def test_mistakes_are_explained(self):
        for words, sentence, status in (((), "--root is missing", 2), (("--rot", "x"), "unknown argument '--rot'", 2),
                                        (("--root",), "needs a value", 2),
                                        (("--root", ".", "--listen", "nowhere"), "ADDRESS:PORT", 2),
                                        (("--root", ".", "--listen", "no.where:1"), "cannot listen", 2),
                                        (("--root", "/nonexistent/folder"), "/nonexistent/folder", 1)):
            ran = self.run_origin(*words)
            self.assertEqual(status, ran.returncode, ran.stderr)
            self.assertIn(sentence, ran.stderr)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            ran = self.run_origin("--root", ".", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        self.assertEqual(1, ran.returncode)
        self.assertIn("Address already in use", ran.stderr)

    def test_sigint_ends_it_too(self):
        with tempfile.TemporaryDirectory() as folder:
            origin = Origin(folder)
            origin.process.send_signal(signal.SIGINT)
            self.assertEqual(0, origin.process.wait(10))
            origin.stop()


if __name__ == "__main__":
    ORIGIN = str(Path(sys.argv.pop(1)).resolve())
    unittest.main(verbosity=2)
