#!/usr/bin/env python3
"""Clones and fetches of real git through the proxy, in protocol v0, v1 and v2, from a real server.

After each: `git fsck`, and the refs are those of a direct run. The arguments name the server (apache or nginx) and the
pool's `upload_pack_framing`. With $BREAKWATER_TEST_TLS the proxy's listener speaks TLS.
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
FRAMING = None


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.server = cls.enterClassContext(KIND())
        cls.work = make_repository(cls.git, cls.server)
        cls.proxy = cls.enterClassContext(Proxy([cls.server], tables=f'upload_pack_framing = "{FRAMING}"'))
        cls.url = f"{cls.git.address_of(cls.proxy)}/team/app.git"
        cls.direct = f"{cls.server.url}/team/app.git"

    def each_version(self, check):
        for version in (0, 1, 2):
            with self.subTest(protocol=version):
                target = self.git.folder / f"{self.id().split('.')[-1]}-{version}"
                check(("-c", f"protocol.version={version}"), target)

    def same_refs(self):
        self.assertEqual(self.git.refs(self.url), self.git.refs(self.direct))

    def test_ls_remote(self):
        self.each_version(lambda options, _: self.assertEqual(
            self.git.out(*options, "ls-remote", self.url), self.git.out(*options, "ls-remote", self.direct)))

    def test_clone(self):
        def check(options, target):
            self.git.run(*options, "clone", "-q", self.url, target)
            self.git.fsck(target)
            self.assertEqual(self.git.out("rev-parse", "HEAD", cwd=target), self.git.out("rev-parse", "HEAD", cwd=self.work))
            self.same_refs()

        self.each_version(check)

    def test_shallow_clone_and_deepen(self):
        def check(options, target):
            self.git.run(*options, "clone", "-q", "--depth", "1", self.url, target)
            self.assertEqual(self.git.out("rev-list", "--count", "HEAD", cwd=target), "1")
            self.git.run(*options, "fetch", "-q", "--deepen", "2", cwd=target)
            self.assertEqual(self.git.out("rev-list", "--count", "HEAD", cwd=target), "3")
            self.git.run(*options, "fetch", "-q", "--unshallow", cwd=target)
            self.git.fsck(target)

        self.each_version(check)

    def test_partial_clone_with_checkout(self):
        def check(options, target):
            self.git.run(*options, "clone", "-q", "--filter=blob:none", self.url, target)
            self.assertTrue((target / "dir0" / "file0").exists())
            self.git.fsck(target)

        self.each_version(check)

    def test_incremental_fetch(self):
        def check(options, target):
            self.git.run(*options, "clone", "-q", self.url, target)
            commit = self.git.commit(self.work, f"more/{target.name}", os.urandom(100_000))
            self.git.run("push", "-q", self.server.root / "team/app.git", "main", cwd=self.work)
            own(self.server)
            self.git.run(*options, "fetch", "-q", cwd=target)
            self.assertEqual(self.git.out("rev-parse", "origin/main", cwd=target), commit)
            self.git.fsck(target)

        self.each_version(check)

    def test_fetch_by_object_id_and_tags(self):
        wanted = self.git.out("rev-parse", "HEAD~3", cwd=self.work)

        def check(options, target):
            self.git.run("init", "-q", target)
            self.git.run(*options, "fetch", "-q", "--depth", "1", self.url, wanted, cwd=target)
            self.assertEqual(self.git.out("rev-parse", "FETCH_HEAD", cwd=target), wanted)
            self.git.run(*options, "fetch", "-q", "--tags", self.url, cwd=target)
            self.assertEqual(self.git.out("tag", cwd=target).split(), ["light", "v1"])
            self.git.fsck(target)

        self.each_version(check)

    def test_dumb_clone(self):
        target = self.git.folder / "dumb"
        self.git.run("update-server-info", cwd=self.server.root / "team/app.git")
        own(self.server)
        self.git.environment["GIT_SMART_HTTP"] = "0"
        try:
            self.git.run("clone", "-q", self.url, target)
        finally:
            del self.git.environment["GIT_SMART_HTTP"]
        self.git.fsck(target)
        entry = self.proxy.wait_for_log(lambda line: line.get("git") == "dumb" and "/objects/" in line["path"])
        self.assertEqual((entry["repository"], entry["status"]), ("team/app", 200))

    def test_the_log_names_operation_repository_and_protocol(self):
        self.git.run("-c", "protocol.version=2", "clone", "-q", "--bare", self.url, self.git.folder / "logged")
        entry = self.proxy.wait_for_log(lambda line: line.get("git") == "upload-pack" and line["git_protocol"] == 2
                                        and line["bytes_out"] > 100_000)
        self.assertEqual((entry["repository"], entry["status"], entry["ended_by"]), ("team/app", 200, "done"))


    def test_packs_end_with_the_connection_where_that_was_asked_for(self):
        before = self.proxy.metrics()["breakwater_packs_until_close_total"]
        self.git.run("-c", "protocol.version=2", "clone", "-q", "--bare", self.url, self.git.folder / "counted")
        packs = self.proxy.metrics()["breakwater_packs_until_close_total"] - before
        # ls-refs and the pack; the pack alone; none.
        self.assertEqual(packs, {"until-close": 2, "auto": 1, "chunked": 0}[FRAMING])


if __name__ == "__main__":
    KIND = {kind.name: kind for kind in servers.kinds()}[sys.argv.pop(1)]
    FRAMING = sys.argv.pop(1)
    unittest.main()
