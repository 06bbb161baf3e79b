#!/usr/bin/env python3
"""stormgen as a user has it: every operation against a server of real git, every fault of a server noticed and called what it is,
and nothing begun against other machines.

usage: stormgen_test.py STORMGEN BREAKWATER_ORIGIN [TEST...]. Python's standard library only.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import storm_origin_test  # noqa: E402
from git import Git, make_repository  # noqa: E402
from servers import Origin as RealOrigin  # noqa: E402

STORMGEN = ""
SECONDS_MAX = 100


# Whether the generator was late depends on who else is on this machine: a test asks for what was done, and not how fast.
EASY = ("--runners", 5, "--rate", "20/s", "--for", "1s", "--grace", "60s", "--deep-check", 1000)


def stormgen(*words):
    return subprocess.run([STORMGEN, *map(str, words)], capture_output=True, text=True, timeout=SECONDS_MAX, check=False)


def lenient(*words):
    """A storm of which nothing may fail, late or not."""
    with tempfile.TemporaryDirectory(prefix="stormgen-test-") as folder:
        path = Path(folder) / "report.json"
        ran = stormgen(*words, "--json", path)
        if not path.exists():
            raise AssertionError(ran.stdout + ran.stderr)
        return json.loads(path.read_text())


class AgainstRealGit(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.git = cls.enterClassContext(Git())
        cls.server = cls.enterClassContext(RealOrigin())
        make_repository(cls.git, cls.server, commits=5)
        cls.url = f"{cls.server.url}/team/app.git"

    def check(self, verb, *words, requests, packs=True):
        report = lenient(verb, self.url, *EASY, *words)
        all_of_them = report["operations"][verb]
        self.assertEqual((all_of_them["ended"], all_of_them["failed"]), (20, 0), report["first_words"])
        self.assertEqual(all_of_them["requests"], requests)
        if packs:
            self.assertEqual(all_of_them["packs"], 20)
            self.assertGreater(all_of_them["packs_unpacked_by_git"], 0)
        return all_of_them

    def test_ls_remote(self):
        self.check("ls-remote", requests=40, packs=False)
        self.check("ls-remote", "--protocol", 0, requests=20, packs=False)

    def test_clones_have_the_objects_that_git_counts(self):
        folder = self.git.folder / "counted"
        self.git.run("clone", "-q", "--bare", self.url, folder)
        objects = len(self.git.out("cat-file", "--batch-all-objects", "--batch-check", cwd=folder).splitlines())
        for protocol, requests in ((2, 60), (1, 40), (0, 40)):
            with self.subTest(protocol=protocol):
                done = self.check("clone", "--protocol", protocol, requests=requests)
                self.assertEqual(done["pack_objects"], 20 * objects)

    def test_shallow_clones_have_fewer(self):
        folder = self.git.folder / "shallow"
        self.git.run("clone", "-q", "--depth=1", f"file://{self.server.root}/team/app.git", folder)
        objects = len(self.git.out("cat-file", "--batch-all-objects", "--batch-check", cwd=folder).splitlines())
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                done = self.check("clone", "--depth", 1, "--protocol", protocol, requests=60)  # v0 is told the ends of the history first
                self.assertEqual(done["pack_objects"], 20 * objects)

    def test_one_commit_by_its_id(self):
        tip = self.git.out("rev-parse", "HEAD", cwd=self.server.root / "team/app.git")
        self.check("fetch-object", "--ref", tip, requests=40)

    def test_a_fetch_after_a_clone_has_nothing_new(self):
        report = lenient("fetch", self.url, *EASY)
        self.assertEqual(report["operations"]["fetch"]["failed"], 0, report["first_words"])
        self.assertEqual(report["operations"]["fetch"]["packs"], 5)  # of each runner's first

    def test_pushes_are_there_afterwards_and_sound(self):
        self.check("push", requests=40, packs=False)
        folder = self.git.folder / "pushed"
        self.git.run("clone", "-q", "--mirror", self.url, folder)
        self.git.fsck(folder)
        self.assertGreaterEqual(len(self.git.out("for-each-ref", "refs/heads", cwd=folder).splitlines()), 5)

    def test_a_checkout_after_a_blobless_clone_fetches_its_files(self):
        folder = self.git.folder / "blobless"
        self.git.run("clone", "-q", "--filter=blob:none", self.url, folder)
        counts = dict(line.split(": ") for line in self.git.out("count-objects", "-v", cwd=folder).splitlines())
        done = self.check("clone", "--filter", "blob:none", requests=100)
        self.assertEqual(done["pack_objects"], 20 * int(counts["in-pack"]))
        self.assertEqual(done["connections"], 40)

    def test_tags_are_fetched_once_by_each_runner(self):
        for protocol in (2, 0):
            with self.subTest(protocol=protocol):
                report = lenient("tags", self.url, *EASY, "--protocol", protocol)
                self.assertEqual((report["operations"]["tags"]["failed"], report["operations"]["tags"]["packs"]), (0, 5), report["first_words"])

    def test_what_is_not_there(self):
        for words, failures in ((("clone", "--ref", "nobody", "--depth", 1), {"git"}), (("fetch-object", "--ref", "1" * 40), {"error", "git"})):
            with self.subTest(words=words):
                report = lenient(words[0], self.url, *EASY, *words[1:])
                found = report["operations"][words[0]]["failures"]
                self.assertEqual(sum(found.values()), 20)
                self.assertLessEqual(set(found), failures)
                self.assertEqual(set(report["first_words"]), set(found))

    def test_pages(self):
        self.check("page", "--path", "/HEAD", requests=20, packs=False)
        self.assertEqual(lenient("page", self.url, *EASY, "--path", "/nothing")["operations"]["page"]["failures"], {"status": 20})

    def test_a_closed_loop(self):
        report = lenient("ls-remote", self.url, "--runners", 3, "--closed", "--for", "1s")
        self.assertGreater(report["operations"]["ls-remote"]["ended"], 3)
        self.assertEqual(report["operations"]["ls-remote"]["failed"], 0, report["first_words"])

    def test_files_without_the_smart_protocol(self):
        self.check("dumb", requests=60, packs=False)

    def test_a_repository_that_is_not_there(self):
        report = lenient("clone", f"{self.server.url}/team/gone.git", *EASY)
        self.assertEqual(report["operations"]["clone"]["failures"], {"status": 20})
        self.assertEqual(report["first_words"], {"status": "404 for GET /team/gone.git/info/refs?service=git-upload-pack"})

    def test_a_ref_that_is_not_there_is_named(self):
        self.assertEqual(lenient("clone", self.url, *EASY, "--ref", "nosuch")["first_words"], {"git": "the server has no ref nosuch"})

    def test_a_port_where_nobody_listens(self):
        with socket.socket() as refusing:  # bound, so that nobody else can listen there
            refusing.bind(("127.0.0.1", 0))
            report = lenient("clone", f"http://127.0.0.1:{refusing.getsockname()[1]}/team/app.git", *EASY)
        self.assertEqual(report["operations"]["clone"]["failures"], {"connect": 20})
        self.assertEqual(report["first_words"], {"connect": "Connection refused"})


class AgainstFaults(unittest.TestCase):
    def setUp(self):
        self.origin = self.enterContext(storm_origin_test.Origin("--pack", "256KiB", "--refs", "10"))

    def storm(self, *words):
        report = lenient("clone", self.origin.url(), "--runners", 10, "--rate", "50/s", "--for", "2s", "--deep-check", 0, *words)
        self.words = report["first_words"]
        return report["operations"]["clone"]

    def test_none(self):
        done = self.storm()
        self.assertEqual((done["ended"], done["failed"], done["packs"]), (100, 0, 100))

    def test_a_byte_of_a_pack_that_is_wrong_is_noticed_every_time(self):
        self.origin.fault(kind="flip", share=0.3, seed=5)
        done = self.storm()
        given = self.origin.ask("GET", "/faults")[0]["given"]
        self.assertGreater(given, 10)
        self.assertEqual(sum(done["failures"].values()), given, done["failures"])
        self.assertLessEqual(set(done["failures"]), {"corrupt", "git", "truncated"})

    def test_each_fault_has_its_class(self):
        for kind, more, failure in (("truncate", {"after": 50_000}, "truncated"), ("err", {}, "error"), ("busy", {"retry_after": 5}, "refused"),
                                    ("error", {}, "status"), ("sideband", {}, "sideband"), ("reset", {"after": 50_000}, "truncated")):
            with self.subTest(kind=kind):
                self.origin.ask("DELETE", "/faults")
                self.origin.fault(kind=kind, count=10, **more)
                done = self.storm()
                self.assertEqual(done["failures"], {failure: 10})
                self.assertEqual(set(self.words), {failure})


class Safety(unittest.TestCase):
    def refused(self, *words):
        ran = stormgen(*words)
        self.assertEqual(ran.returncode, 2, ran.stdout)
        return ran.stderr

    def test_another_machine_is_left_alone(self):
        url = "http://192.0.2.1/app.git"
        self.assertIn("192.0.2.1 is another machine", self.refused("clone", url))
        self.assertIn("needs a ceiling", self.refused("clone", url, "--allow-target", "192.0.2.1"))
        self.assertIn("above --max-rate", self.refused("clone", url, "--allow-target", "192.0.2.1", "--max-rate", "5/s", "--max-runners", 30))
        self.assertIn("above --max-runners", self.refused("clone", url, "--allow-target", "192.0.2.1", "--max-rate", "50/s", "--max-runners", 3))
        self.assertIn("names another host", self.refused("clone", url, "--allow-target", "example.com", "--max-rate", "50/s", "--max-runners", 30))

    def test_what_makes_no_sense_is_said(self):
        for words, sentence in ((("clone", "ssh://host/app"), "it has to begin with http://"), (("clone", "http://a:b@127.0.0.1/x"), "credentials"),
                                (("clone", "http://127.0.0.1/a", "--rate", "x"), "is no rate"), (("clone", "http://127.0.0.1/a", "--for", "x"), "is no time")):
            with self.subTest(words=words):
                self.assertIn(sentence, self.refused(*words))

    def test_a_plan_can_be_seen_before(self):
        ran = subprocess.run([STORMGEN, "clone", "http://192.0.2.1/app.git", "--dry-run", "--rate", "10/s", "--for", "3s"], capture_output=True,
                             text=True, timeout=SECONDS_MAX, check=True)
        self.assertTrue(ran.stdout.startswith("30 operations of 20 runners, seed 1\n"), ran.stdout)
        self.assertEqual(ran.stdout.count(" s     10 " + "#" * 50 + "\n"), 3, ran.stdout)


if __name__ == "__main__":
    STORMGEN = storm_origin_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    os.environ["BREAKWATER_ORIGIN"] = os.path.abspath(sys.argv.pop(1))
    unittest.main()
