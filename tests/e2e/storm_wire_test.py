#!/usr/bin/env python3
"""stormgen's native driver sends what real git and git-lfs send: the same requests over as many connections, the same fields in the
same order with the same values, the same pkt-lines. Each case runs both through a recording relay and compares.

Python's standard library, git and, if it is there, git-lfs only. Environment: STORMGEN, BREAKWATER_ORIGIN.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import storm_origin_test  # noqa: E402
from git import Git, make_repository  # noqa: E402
from servers import Origin  # noqa: E402
from wire_record import Recorder, pkt_lines, without_ids  # noqa: E402

SECONDS_MAX = 60


def told(connections, *, ids=True):
    """All of it as lines: what differs by nature is left out. A body's length follows from its lines."""
    lines = []
    for connection in connections:
        lines.append("(connection)")
        for request in connection:
            lines.append(request.line)
            for name, value in request.fields:
                lines.append(name if name in ("Host", "Content-Length") else f"{name}: {value}")
            body = gzip.decompress(request.body) if request.field("Content-Encoding") == "gzip" else request.body
            lines += [line if ids else without_ids(line) for line in pkt_lines(body)]
    return lines


def one_operation(case, command, url, *words):
    """Of one runner."""
    result = subprocess.run([os.environ["STORMGEN"], command, url, "--runners", "1", "--rate", "1/s", "--for", "1s", "--deep-check", "0",
                             *map(str, words)], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
    case.assertIn(" 0 failed ", result.stdout, result.stderr)  # its status also says whether the generator was late


class WireTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.git.environment["LC_ALL"] = "C.UTF-8"  # as CI's containers have it; git says so in Accept-Language
        cls.server = cls.enterClassContext(Origin())
        cls.work = make_repository(cls.git, cls.server, commits=6, blob_bytes=2000)
        cls.bare = cls.server.root / "team/app.git"
        cls.relay = cls.enterClassContext(Recorder(cls.server.port))
        cls.url = f"http://127.0.0.1:{cls.relay.port}/team/app.git"

    def recorded(self):
        connections = self.relay.connections
        self.relay.clear()
        return connections

    def stormgen(self, *words):
        one_operation(self, words[0], self.url, *words[1:])

    def compare(self, git_words, storm_words, *, cwd=None, ids=True):
        self.git.run(*git_words, cwd=cwd)
        real = told(self.recorded(), ids=ids)
        self.stormgen(*storm_words)
        ours = told(self.recorded(), ids=ids)
        self.assertEqual(ours, real)
        self.assertGreater(len(real), 5)

    def folder(self):
        folder = self.git.folder / self.id().rsplit(".", 1)[1]
        return folder

    def empty(self):
        self.git.run("init", "-q", self.folder())
        return self.folder()

    def test_clone(self):
        for protocol in (2, 1, 0):
            with self.subTest(protocol=protocol):
                self.compare(("-c", f"protocol.version={protocol}", "clone", "-q", self.url, f"{self.folder()}{protocol}"),
                             ("clone", "--protocol", protocol))

    def test_shallow_clone(self):
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                self.compare(("-c", f"protocol.version={protocol}", "clone", "-q", "--depth=1", self.url, f"{self.folder()}{protocol}"),
                             ("clone", "--depth", 1, "--protocol", protocol))

    def test_shallow_clone_of_a_branch(self):
        self.compare(("clone", "-q", "--depth=1", "-b", "side", self.url, self.folder()),
                     ("clone", "--depth", 1, "--ref", "side"))

    def test_blobless_clone(self):
        """Its checkout is another process; which blobs that asks for differs, so of these only the form is compared."""
        self.git.run("clone", "-q", "--filter=blob:none", self.url, self.folder())
        real = self.recorded()
        self.stormgen("clone", "--filter", "blob:none")
        ours = self.recorded()
        self.assertEqual(told(ours[:1]), told(real[:1]))
        self.assertEqual(list(dict.fromkeys(told(ours[1:], ids=False))), list(dict.fromkeys(told(real[1:], ids=False))))

    def test_ls_remote(self):
        for protocol in (2, 1, 0):
            with self.subTest(protocol=protocol):
                self.compare(("-c", f"protocol.version={protocol}", "ls-remote", self.url), ("ls-remote", "--protocol", protocol))

    def test_jenkins_polls(self):
        self.compare(("ls-remote", "-h", self.url), ("ls-remote", "--client", "jenkins-poll"))

    def test_actions_checkout(self):
        tip = self.git.out("rev-parse", "main", cwd=self.bare)
        self.compare(("-c", "protocol.version=2", "fetch", "-q", "--no-tags", "--prune", "--no-recurse-submodules", "--depth=1", self.url,
                      f"+{tip}:refs/remotes/origin/main"),
                     ("fetch-object", "--client", "actions-checkout", "--depth", 1, "--ref", tip), cwd=self.empty())

    def test_fetch_into_an_empty_repository(self):
        folder = self.empty()
        self.git.run("remote", "add", "origin", self.url, cwd=folder)
        self.compare(("fetch", "-q", "origin"), ("fetch",), cwd=folder)

    def test_fetch_of_what_is_new(self):
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                folder = f"{self.folder()}{protocol}"
                self.git.run("init", "-q", folder)
                self.git.run("remote", "add", "origin", self.url, cwd=folder)
                self.git.run("fetch", "-q", "origin", cwd=folder)
                self.relay.wait_for(1)
                self.relay.clear()
                storm = subprocess.Popen([os.environ["STORMGEN"], "fetch", self.url, "--runners", "1", "--rate", "0.25/s", "--for", "8s",
                                          "--protocol", str(protocol)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
                self.relay.wait_for(1)
                self.git.commit(self.work, f"new{protocol}", os.urandom(100))
                self.git.run("push", "-q", self.bare, "main", cwd=self.work)
                output, _ = storm.communicate(timeout=SECONDS_MAX)
                self.assertIn(" 0 failed ", output)
                ours = told(self.recorded()[1:])
                self.git.run("-c", f"protocol.version={protocol}", "fetch", "-q", "origin", cwd=folder)
                real = told(self.recorded())
                # Of haves git offers its history too, where ours are tips.
                self.assertEqual([line for line in ours if not line.startswith("have ")],
                                 [line for line in real if not line.startswith("have ")])
                haves = [line for line in ours if line.startswith("have ")]
                self.assertTrue(haves)
                self.assertLessEqual(set(haves), {line for line in real if line.startswith("have ")})

    def test_tags(self):
        folder = self.empty()
        self.git.run("remote", "add", "origin", self.url, cwd=folder)
        self.compare(("fetch", "-q", "--tags", "origin"), ("tags",), cwd=folder)

    def test_push(self):
        work = self.folder()
        self.git.run("clone", "-q", self.bare, work)
        self.git.commit(work, "pushed", "x" * 3000)
        # The runner's branch; when its turn comes, it is there already.
        self.compare(("push", "-q", self.url, "HEAD:refs/heads/storm/0"), ("push",), cwd=work, ids=False)

    def test_push_in_chunks(self):
        work = self.folder()
        self.git.run("clone", "-q", self.bare, work)
        self.git.commit(work, "pushed", os.urandom(1_500_000))
        self.compare(("push", "-q", self.url, "HEAD:refs/heads/large/0"), ("push", "--ref", "large", "--commits", 400), cwd=work, ids=False)


@unittest.skipUnless(shutil.which("git-lfs"), "no git-lfs")
class LfsTest(unittest.TestCase):
    """Objects that take long enough for a second connection to be worth it: over which one each comes is a matter of time."""

    maxDiff = None

    def setUp(self):
        storm_origin_test.PROGRAM = os.environ["STORMGEN"]
        self.git = self.enterContext(Git())
        self.origin = self.enterContext(storm_origin_test.Origin("--repositories", 1, "--lfs", "20MiB"))
        self.relay = self.enterContext(Recorder(int(self.origin.address.rpartition(":")[2])))
        self.url = f"http://127.0.0.1:{self.relay.port}/repository-0.git"
        self.objects = json.loads(self.origin.request("GET", "/repository-0.git/info/lfs/objects/")[2])

    def recorded(self):
        """How many requests each connection had; of all requests line, fields and body, in an order that is the same for both."""
        connections = self.relay.connections
        self.relay.clear()
        requests = []
        for request in sorted((request for connection in connections for request in connection), key=lambda request: request.line):
            requests.append([request.line, *(f"{name}: {self.without_version(value)}" for name, value in request.fields),
                             self.body_of(request)])
        return sorted(len(connection) for connection in connections), requests

    @staticmethod
    def without_version(value):
        return re.sub(r"[0-9.]+", "N", value) if value.startswith("git-lfs/") else value

    @staticmethod
    def body_of(request):
        body = json.loads(request.body or "{}")
        body.get("objects", []).sort(key=lambda each: each["oid"])
        body.get("transfers", []).sort()  # git-lfs has them in another order each time
        return body

    def test_download(self):
        work = self.git.folder / "work"
        self.git.run("clone", "-q", self.origin.url(), work)
        self.git.run("remote", "set-url", "origin", self.url, cwd=work)
        self.git.run("lfs", "fetch", "origin", "main", cwd=work)
        for each in self.objects:
            self.assertTrue((work / ".git/lfs/objects" / each["oid"][:2] / each["oid"][2:4] / each["oid"]).is_file())
        real = self.recorded()
        one_operation(self, "lfs", self.url, "--path", ",".join(f"{each['oid']}:{each['size']}" for each in self.objects),
                      "--ref", "refs/heads/main")
        self.assertEqual(self.recorded(), real)
        self.assertEqual(real[0], [1, 2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
