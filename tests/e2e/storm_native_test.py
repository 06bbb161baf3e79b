#!/usr/bin/env python3
"""stormgen's native driver against real git behind breakwater-origin: every kind of operation in every protocol, and what it
counts compared with what real git says of the same.

Python's standard library and git only. Environment: STORMGEN, BREAKWATER_ORIGIN.
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git, make_repository  # noqa: E402
from servers import Origin  # noqa: E402

SECONDS_MAX = 90
OPERATIONS = 4


class NativeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.server = cls.enterClassContext(Origin())
        make_repository(cls.git, cls.server, commits=6, blob_bytes=3000)
        cls.bare = cls.server.root / "team/app.git"
        cls.url = f"http://{cls.server.address}/team/app.git"

    def storm(self, verb, *words, status=0, url=None):
        """Some operations, and what came of them."""
        results = self.git.folder / f"{self.id()}.json"
        run = subprocess.run([os.environ["STORMGEN"], verb, url or self.url, "--runners", "2", "--rate", "8/s", "--for", "500ms",
                              "--json", results, *map(str, words)], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        found = json.loads(results.read_text())["all"]
        self.assertEqual(found["ended"], OPERATIONS)
        return found

    def objects_of(self, *clone):
        """How many real git gets."""
        folder = self.git.folder / self.id()
        subprocess.run(["rm", "-rf", folder], check=True)
        self.git.run(*clone, self.url, folder)
        counts = dict(line.split(": ") for line in self.git.out("count-objects", "-v", cwd=folder).splitlines())
        return int(counts["in-pack"]) + int(counts["count"])

    def test_ls_remote(self):
        for protocol, requests in ((2, 2), (1, 1), (0, 1)):
            with self.subTest(protocol=protocol):
                found = self.storm("ls-remote", "--protocol", protocol)
                self.assertEqual(found["failed"], 0)
                self.assertEqual(found["requests"], requests * OPERATIONS)
                self.assertEqual(found["connections"], OPERATIONS)

    def test_clone(self):
        objects = self.objects_of("clone", "-q")
        for protocol in (2, 1, 0):
            with self.subTest(protocol=protocol):
                found = self.storm("clone", "--protocol", protocol, "--deep-check", 1000)
                self.assertEqual(found["failed"], 0)
                self.assertEqual(found["pack_objects"], objects * OPERATIONS)
                self.assertEqual(found["packs_unpacked_by_git"], OPERATIONS)

    def test_shallow_clone(self):
        objects = self.objects_of("clone", "-q", "--depth=2")
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                found = self.storm("clone", "--protocol", protocol, "--depth", 2, "--deep-check", 1000)
                self.assertEqual(found["pack_objects"], objects * OPERATIONS)
                self.assertEqual(found["packs_unpacked_by_git"], OPERATIONS)

    def test_blobless_clone(self):
        objects = self.objects_of("clone", "-q", "--filter=blob:none")
        found = self.storm("clone", "--filter", "blob:none", "--deep-check", 1000)
        self.assertEqual(found["pack_objects"], objects * OPERATIONS)
        self.assertEqual(found["connections"], 2 * OPERATIONS)
        self.assertEqual(found["packs_unpacked_by_git"], OPERATIONS)

    def test_fetch(self):
        """The first of each runner gets all, the others find nothing new."""
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                found = self.storm("fetch", "--protocol", protocol)
                self.assertEqual((found["failed"], found["packs"]), (0, 2))

    def test_tags_and_one_object(self):
        tip = self.git.out("rev-parse", "side", cwd=self.bare)
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                self.assertEqual(self.storm("tags", "--protocol", protocol)["packs"], 2)
                found = self.storm("fetch-object", "--ref", tip, "--depth", 1, "--protocol", protocol)
                self.assertEqual(found["packs"], OPERATIONS)
                self.assertEqual(found["failed"], 0)

    def test_push(self):
        before = set(self.git.out("rev-list", "--all", cwd=self.bare).split())
        found = self.storm("push", "--commits", 3)
        self.assertEqual(found["failed"], 0)
        self.git.fsck(self.bare)
        new = set(self.git.out("rev-list", "--all", cwd=self.bare).split()) - before
        self.assertEqual(len(new), 3 * OPERATIONS)
        self.assertEqual(found["pack_objects"], 9 * OPERATIONS)
        for runner in range(2):
            self.git.run("update-ref", "-d", f"refs/heads/storm/{runner}", cwd=self.bare)

    def test_files_and_pages(self):
        self.assertEqual(self.storm("dumb")["failed"], 0)
        self.assertEqual(self.storm("page", "--path", "/HEAD")["failed"], 0)
        found = self.storm("page", "--path", "/nothing", status=1)
        self.assertEqual(found["failures"], {"status": OPERATIONS})

    def test_what_is_not_there(self):
        found = self.storm("clone", url=f"http://{self.server.address}/none.git", status=1)
        self.assertEqual(found["failures"], {"status": OPERATIONS})
        found = self.storm("clone", "--ref", "nobody", "--depth", 1, status=1)
        self.assertEqual(found["failures"], {"git": OPERATIONS})
        found = self.storm("fetch-object", "--ref", "1" * 40, status=1)
        self.assertEqual(sum(found["failures"].values()), OPERATIONS)
        self.assertIn(next(iter(found["failures"])), ("error", "git"))

    def test_a_closed_loop(self):
        results = self.git.folder / "closed.json"
        run = subprocess.run([os.environ["STORMGEN"], "ls-remote", self.url, "--runners", "3", "--closed", "--for", "1s", "--json", results],
                             capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        found = json.loads(results.read_text())["all"]
        self.assertGreater(found["ended"], 3)
        self.assertEqual(found["failed"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
