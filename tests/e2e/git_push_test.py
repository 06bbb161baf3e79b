#!/usr/bin/env python3
"""Pushes of real git through the proxy to a real server: small, chunked, deletes, refused by a hook, with Basic auth.

After each: `git fsck` on the server's side, and the refs are those of a direct run. The first argument names the server.
"""

import os
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import servers  # noqa: E402
from git import Git, make_repository, own  # noqa: E402
from support import Proxy  # noqa: E402

KIND = None
PASSWORD = "canary-5eb1-password"


class Push(unittest.TestCase):
    def setUp(self):
        self.git = self.enterContext(Git())

    def start(self, **options):
        self.server = self.enterContext(KIND(**options))
        self.work = make_repository(self.git, self.server, commits=3)
        self.bare = self.server.root / "team/app.git"
        self.proxy = self.enterContext(Proxy([self.server]))
        self.url = f"{self.git.address_of(self.proxy)}/team/app.git"

    def verify(self):
        self.git.fsck(self.bare)
        self.assertEqual(self.git.refs(self.url), self.git.refs(self.bare))

    def test_small_large_force_and_delete(self):
        self.start()
        for version in (0, 1, 2):
            options = ("-c", f"protocol.version={version}")
            with self.subTest(protocol=version):
                small = self.git.commit(self.work, f"small{version}", "hello")
                self.git.run(*options, "push", "-q", self.url, "main", cwd=self.work)
                self.assertEqual(self.git.out("rev-parse", "main", cwd=self.bare), small)
                large = self.git.commit(self.work, f"large{version}", os.urandom(6_000_000))  # above http.postBuffer: chunked
                self.git.run(*options, "push", "-q", self.url, "main", "main:topic", cwd=self.work)
                self.assertEqual(self.git.out("rev-parse", "topic", cwd=self.bare), large)
                self.git.run(*options, "push", "-q", "--force", self.url, "HEAD~1:topic", cwd=self.work)
                self.assertEqual(self.git.out("rev-parse", "topic", cwd=self.bare), small)
                self.git.run(*options, "push", "-q", self.url, ":topic", cwd=self.work)
                self.assertNotEqual(self.git.run("rev-parse", "-q", "--verify", "topic", cwd=self.bare, check=False).returncode, 0)
                self.verify()
        entry = self.proxy.wait_for_log(lambda line: line.get("git") == "receive-pack" and line["bytes_in"] > 5_000_000)
        self.assertEqual((entry["repository"], entry["status"], entry["reused"]), ("team/app", 200, False))

    def test_a_hook_that_refuses_is_heard(self):
        self.start()
        hook = self.bare / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho 'no pushes on a Friday' >&2\nexit 1\n")
        hook.chmod(0o755)
        own(self.server)
        self.git.commit(self.work, "refused", os.urandom(2_000_000))
        result = self.git.run("push", self.url, "main", cwd=self.work, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("remote: no pushes on a Friday", result.stderr)
        self.verify()

    def test_basic_authentication(self):
        self.start(users={"ada": PASSWORD})
        with_password = self.url.replace("://", f"://ada:{PASSWORD}@")
        wrong = self.url.replace("://", "://ada:wrong@")
        for bytes_pushed in (10, 3_000_000):
            commit = self.git.commit(self.work, f"by-ada-{bytes_pushed}", os.urandom(bytes_pushed))
            absent = self.git.run("push", self.url, "main", cwd=self.work, check=False)
            self.assertNotEqual(absent.returncode, 0)
            self.assertIn("could not read Username", absent.stderr)
            refused = self.git.run("push", wrong, "main", cwd=self.work, check=False)
            self.assertNotEqual(refused.returncode, 0)
            self.assertIn("Authentication failed", refused.stderr)
            self.git.run("push", "-q", with_password, "main", cwd=self.work)
            self.assertEqual(self.git.out("rev-parse", "main", cwd=self.bare), commit)
        target = self.git.folder / "clone"
        self.git.run("clone", "-q", with_password, target)
        self.git.fsck(target)
        self.proxy.wait_for_log(lambda line: line.get("git") == "upload-pack")
        said = self.proxy.stdout.text() + self.proxy.stderr.text()
        self.assertNotIn(PASSWORD, said)
        self.assertNotIn("YWRh", said)  # "ada:" in base64

    def test_a_server_that_is_away_does_not_cost_the_stored_credential(self):
        self.start()
        store = self.git.folder / "credentials"
        store.write_text(f"http://ada:{PASSWORD}@127.0.0.1%3a{self.proxy.port}\n")
        self.server.stop()
        result = self.git.run("-c", f"credential.helper=store --file={store}", "ls-remote", self.url, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("502", result.stderr)
        self.assertIn("remote: breakwater: no Git server could be reached", result.stderr)
        self.assertIn(PASSWORD, store.read_text())


if __name__ == "__main__":
    KIND = {kind.name: kind for kind in servers.kinds()}[sys.argv.pop(1)]
    unittest.main()
