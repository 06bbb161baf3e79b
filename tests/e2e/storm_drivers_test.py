#!/usr/bin/env python3
"""stormgen's two drivers agree: what the native one counts, and what it makes a server send, is what the installed git has of the
same operations; and what git complains about has the class that the native driver gives it.

Python's standard library and git only. Environment: STORMGEN, BREAKWATER_ORIGIN.
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import storm_origin_test  # noqa: E402
from git import Git, make_repository  # noqa: E402
from servers import Origin  # noqa: E402
from wire_record import Recorder  # noqa: E402

SECONDS_MAX = 120
SMALL = ("--runners", 2, "--rate", "8/s", "--for", "500ms", "--grace", "90s", "--deep-check", 0)
OPERATIONS = 4


def storm(driver, verb, url, *words):
    """The results of that operation; whether the generator was late is no matter here."""
    with tempfile.TemporaryDirectory(prefix="storm-drivers-") as folder:
        path = Path(folder) / "report.json"
        ran = subprocess.run([os.environ["STORMGEN"], verb, url, *map(str, SMALL), *map(str, words), "--driver", driver, "--json", path],
                             capture_output=True, text=True, timeout=SECONDS_MAX, check=False, env=os.environ | {"TMPDIR": folder})
        if not path.exists():
            raise AssertionError(ran.stdout + ran.stderr)
        path_left = [left.name for left in Path(folder).iterdir() if left != path]
        if path_left:
            raise AssertionError(f"left behind: {path_left}")
        report = json.loads(path.read_text())
        return report["operations"][verb] | {"first_words": report["first_words"], "driver": report["run"]["driver"]}


class Agree(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.server = cls.enterClassContext(Origin())
        make_repository(cls.git, cls.server, commits=6, blob_bytes=20_000)
        cls.relay = cls.enterClassContext(Recorder(cls.server.port))
        cls.url = f"http://127.0.0.1:{cls.relay.port}/team/app.git"

    def of(self, driver, verb, *words):
        """What was counted, and the bytes that the server sent for it."""
        counted = storm(driver, verb, self.url, *words)
        self.assertEqual((counted["driver"], counted["ended"], counted["failed"]), (driver, OPERATIONS, 0), counted["first_words"])
        self.assertTrue(self.relay.connections)
        received = self.relay.received
        self.relay.clear()
        return {key: counted[key] for key in ("packs", "pack_bytes", "pack_objects")}, received

    def compare(self, verb, *words, packs=OPERATIONS):
        real, real_bytes = self.of("git", verb, *words)
        native, native_bytes = self.of("native", verb, *words)
        self.assertEqual(native, real)
        self.assertEqual(native["packs"], packs)
        # Of heads and chunks it depends on time how many there are; bodies are the same.
        self.assertAlmostEqual(native_bytes, real_bytes, delta=max(real_bytes * 0.01, 200))

    def test_ls_remote(self):
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                self.compare("ls-remote", "--protocol", protocol, packs=0)

    def test_clone(self):
        for protocol in (2, 1, 0):
            with self.subTest(protocol=protocol):
                self.compare("clone", "--protocol", protocol)

    def test_shallow_clone(self):
        self.compare("clone", "--depth", 1)

    def test_one_commit(self):
        tip = self.git.out("rev-parse", "main", cwd=self.server.root / "team/app.git")
        self.compare("fetch-object", "--ref", tip, "--depth", 1, "--client", "actions-checkout")

    def test_fetch_by_machines_that_keep_a_copy(self):
        self.compare("fetch", packs=2)

    def test_tags(self):
        self.compare("tags", packs=2)


class OfGitAlone(unittest.TestCase):
    def test_its_pushes_are_there_and_sound(self):
        git = self.enterContext(Git())
        server = self.enterContext(Origin())
        make_repository(git, server, commits=2)
        counted = storm("git", "push", f"{server.url}/team/app.git")
        self.assertEqual(counted["failed"], 0, counted["first_words"])
        folder = git.folder / "pushed"
        git.run("clone", "-q", "--mirror", f"{server.url}/team/app.git", folder)
        git.fsck(folder)
        self.assertEqual(git.out("rev-list", "--count", "storm/0", cwd=folder), "2")

    def test_failures_have_the_same_class(self):
        with storm_origin_test.Origin("--pack", "256KiB") as origin:
            for kind, more in (("reset", {"after": 50_000}), ("truncate", {"after": 50_000}), ("error", {}), ("err", {}), ("sideband", {})):
                with self.subTest(kind=kind):
                    origin.fault(kind=kind, share=1, **more)
                    found = [storm(driver, "clone", origin.url()) for driver in ("git", "native")]
                    origin.ask("DELETE", "/faults")
                    self.assertEqual(found[0]["failures"], found[1]["failures"], [each["first_words"] for each in found])
                    self.assertEqual(sum(found[0]["failures"].values()), OPERATIONS)
            gone = [storm(driver, "clone", origin.url() + "-not-there") for driver in ("git", "native")]
            self.assertEqual(gone[0]["failures"], gone[1]["failures"])
        nobody = [storm(driver, "clone", origin.url()) for driver in ("git", "native")]
        self.assertEqual([each["failures"] for each in nobody], [{"connect": OPERATIONS}] * 2)

    def test_what_it_can_not_do(self):
        for words in (("page", "--path", "/x"), ("lfs", "--path", "0" * 64 + ":1"), ("clone", "--download", "1MiB")):
            ran = subprocess.run([os.environ["STORMGEN"], words[0], "http://127.0.0.1:9/a.git", *words[1:], "--driver", "git"],
                                 capture_output=True, text=True, timeout=SECONDS_MAX, check=False)
            self.assertEqual(ran.returncode, 2)
            self.assertIn("--driver git can't", ran.stderr)


if __name__ == "__main__":
    storm_origin_test.PROGRAM = os.environ["STORMGEN"]
    unittest.main(verbosity=2)
