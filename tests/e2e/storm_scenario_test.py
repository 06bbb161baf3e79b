#!/usr/bin/env python3
"""Storms from files: bursts, fan-outs, ramps, runners that vanish and connections that are few, TLS, LFS and passwords, each against the
synthetic server; and what is said of a file that is wrong.

usage: storm_scenario_test.py STORMGEN [TEST...]. Python's standard library only.
"""

import base64
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import certificates  # noqa: E402
import storm_origin_test  # noqa: E402
import stormgen_test  # noqa: E402
from git import Git  # noqa: E402
from storm_origin_test import Origin  # noqa: E402
from stormgen_test import stormgen  # noqa: E402
from support import Proxy  # noqa: E402
from wire_record import Recorder, pkt_lines  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
SECONDS_MAX = stormgen_test.SECONDS_MAX


class FromFiles(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="storm-scenario-")))

    def file(self, text, name="scenario.toml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def scenario(self, url, rest, repositories=2, target=""):
        """A file with a short storm against this server; `rest` are the other tables."""
        names = ", ".join(f'"repository-{number}.git"' for number in range(repositories))
        return self.file(f'[target]\nurl = "{url}"\nrepositories = [{names}]\n{target}{rest}')

    def run_file(self, path, *words):
        return stormgen_test.lenient("run", path, *words)

    def all_well(self, report, **ended):
        """So many operations of each name have ended, and none has failed."""
        found = {name: (each["ended"], each["failed"]) for name, each in report["operations"].items()}
        self.assertEqual(found, {name: (count, 0) for name, count in ended.items()}, report["first_words"])


SHORT = '[storm]\nlength = "2s"\ngrace = "60s"\ndeep_check = 200\n'
CLONES = SHORT + '[runners]\ncount = 6\n[operation.clone]\nverb = "clone"\n[arrivals.clones]\nshape = "burst"\ncount = 12\nwindow = "500ms"\n'


class Shapes(FromFiles):
    def setUp(self):
        super().setUp()
        self.origin = self.enterContext(Origin("--repositories", 2, "--pack", "128KiB", "--refs", 10))
        self.url = f"http://{self.origin.address}"

    def test_a_burst(self):
        report = self.run_file(self.scenario(self.url, CLONES))
        self.all_well(report, clone=12)
        self.assertEqual(report["operations"]["clone"]["packs"], 12)
        self.assertEqual(report["run"]["operations_planned"], 12)
        self.assertEqual(self.origin.ask("GET", "/stats")["packs"], 12)

    def test_one_seed_is_one_storm_and_its_hash_says_so(self):
        path = self.scenario(self.url, CLONES)
        first, second = self.run_file(path), self.run_file(path, "--seed", 7)
        self.assertEqual((first["run"]["seed"], second["run"]["seed"]), (1, 7))
        self.assertEqual(first["run"]["scenario_hash"], second["run"]["scenario_hash"])
        other = self.run_file(self.scenario(self.url, CLONES.replace("count = 12", "count = 11")))
        self.assertNotEqual(first["run"]["scenario_hash"], other["run"]["scenario_hash"])

    def test_what_follows_a_push_fetches_the_commit_that_was_pushed(self):
        with Recorder(int(self.origin.address.rpartition(":")[2])) as recorder:
            path = self.scenario(f"http://127.0.0.1:{recorder.port}", '''
[storm]
length = "4s"
grace = "60s"
[runners]
count = 6
[operation.push]
verb = "push"
[operation.job]
verb = "fetch-object"
depth = 1
[arrivals.hook]
shape = "fan_out"
operations = ["job"]
push = "push"
count = 5
window = "200ms"
every = "500ms"
length = "1s"
''')
            report = self.run_file(path)
            pushed, fetched = {}, {}
            for connection in recorder.connections:
                for request in connection:
                    lines = pkt_lines(request.body)
                    repository = request.line.split("/")[1]
                    if "/git-receive-pack " in request.line:
                        pushed[repository, lines[0].split()[1]] = 0
                    elif "command=fetch" in "".join(lines):
                        wants = [line.split()[1] for line in lines if line.startswith("want ")]
                        self.assertEqual(len(wants), 1)
                        fetched[repository, wants[0]] = fetched.get((repository, wants[0]), 0) + 1
        self.all_well(report, push=2, job=10)
        self.assertEqual(len(pushed), 2)
        self.assertEqual(fetched, dict.fromkeys(pushed, 5))
        # A commit, its tree, and the blob in it, each time.
        self.assertEqual(report["operations"]["job"]["pack_objects"], 30)
        self.assertEqual(self.origin.ask("GET", "/stats")["pushes"], 2)

    def test_nothing_follows_a_push_that_failed(self):
        self.origin.fault(kind="error", on="push")
        report = stormgen_test.lenient("push", self.url + "/repository-0.git", "--fan-out", 3, "--within", "100ms", "--every", "1s", "--for", "2s")
        self.assertEqual(report["operations"]["push"]["failures"], {"status": 2})
        self.assertEqual(report["operations"]["fetch-object"]["ended"], 0)

    def test_a_fan_out_without_a_file(self):
        report = stormgen_test.lenient("push", self.url + "/repository-1.git", "--fan-out", 4, "--within", "200ms", "--every", "500ms", "--for", "3s",
                                       "--depth", 1)
        self.assertEqual(report["operations"]["push"]["failed"], 0, report["first_words"])
        pushes = report["operations"]["push"]["ended"]
        self.assertGreaterEqual(pushes, 4)
        self.assertEqual(report["operations"]["fetch-object"]["failed"], 0, report["first_words"])
        self.assertGreaterEqual(report["operations"]["fetch-object"]["ended"], 4 * (pushes - 1))  # the last ones may come too late

    def test_a_burst_without_a_file(self):
        report = stormgen_test.lenient("clone", self.url + "/repository-0.git", "--burst", 9, "--within", "300ms")
        self.all_well(report, clone=9)
        self.assertEqual(report["run"]["runners"], 9)

    def test_a_ramp_and_a_mix(self):
        report = self.run_file(self.scenario(self.url, SHORT + '''
[runners]
count = 8
[operation.poll]
verb = "ls-remote"
client = "jenkins-poll"
weight = 3
[operation.checkout]
client = "actions-checkout"
[arrivals.morning]
shape = "ramp"
operations = ["poll", "checkout"]
rate = "0/s"
rate_to = "20/s"
'''))
        ended = {name: each["ended"] for name, each in report["operations"].items()}
        self.assertEqual(sum(ended.values()), 20)
        self.assertGreater(ended["poll"], ended["checkout"])
        self.assertGreater(ended["checkout"], 0)
        self.all_well(report, **ended)

    def test_steps_and_a_closed_loop_beside_them(self):
        report = self.run_file(self.scenario(self.url, SHORT + '''
[runners]
count = 4
think = "100ms"
[operation.tags]
verb = "tags"
protocol = 0
[operation.fetch]
verb = "fetch"
[arrivals.steps]
shape = "step"
operations = ["tags"]
rate = "2/s"
rate_to = "6/s"
steps = 2
[arrivals.loop]
shape = "closed"
operations = ["fetch"]
'''))
        self.assertEqual((report["all"]["failed"], report["operations"]["tags"]["ended"]), (0, 8), report["first_words"])
        self.assertGreaterEqual(report["operations"]["fetch"]["ended"], 4)


class Runners(FromFiles):
    def test_those_who_vanish_are_counted_and_do_no_harm(self):
        with Origin("--pack", "2MiB") as origin:
            url = f"http://{origin.address}"
            vanishing = CLONES.replace("count = 6\n", "count = 6\nvanish_percent = 100\n")
            report = self.run_file(self.scenario(url, vanishing, repositories=1))
            self.all_well(report, clone=0)
            self.assertEqual(report["operations"]["clone"]["vanished"], 12)
            self.assertEqual(report["operations"]["clone"]["latency"]["count"], 0)
            self.all_well(self.run_file(self.scenario(url, CLONES, repositories=1)), clone=12)

    def test_no_more_connections_than_there_may_be(self):
        usual = {}
        with Origin("--pack", "64KiB", "--rate", "64KiB") as origin:
            for bound in ("3", '"off"'):
                path = self.scenario(f"http://{origin.address}", SHORT + f'''
[runners]
count = 12
connections_max = {bound}
[operation.clone]
verb = "clone"
[arrivals.all]
shape = "burst"
count = 12
window = "0s"
''', repositories=1)
                report = self.folder / "report.json"
                storm = subprocess.Popen([stormgen_test.STORMGEN, "run", path, "--json", report], stdin=subprocess.DEVNULL,
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                seen = []
                while storm.poll() is None:
                    seen.append(origin.ask("GET", "/stats")["connections_open"] - 1)  # not the one that asks
                self.all_well(json.loads(report.read_text()), clone=12)
                # A busy server has more for moments: those whose end it has not seen yet.
                usual[bound] = statistics.median(count for count in seen if count > 0)
        self.assertLessEqual(usual["3"], 3)
        self.assertGreater(usual['"off"'], 5)


class SecureTargets(FromFiles):
    def setUp(self):
        super().setUp()
        self.secret = self.file("sesame\n", "secret")

    def target(self, *words):
        return "".join(word + "\n" for word in words)

    def test_over_tls_with_the_certificate_looked_at(self):
        trusted = certificates.folder() / "localhost.crt"
        with Origin("--tls", certificates.folder(), "--pack", "128KiB") as origin:
            url = f"https://{origin.address}"
            for good in (f'tls_ca = "{trusted}"', f'tls_ca = "{trusted}"\ntls_name = "localhost"', "tls_verify = false"):
                with self.subTest(good):
                    report = self.run_file(self.scenario(url, CLONES, repositories=1, target=self.target(good)))
                    self.all_well(report, clone=12)
                    self.assertEqual(report["operations"]["clone"]["phases"]["tls"]["count"], 12)
            for bad in ("", f'tls_ca = "{trusted}"\ntls_name = "elsewhere"'):
                with self.subTest(bad):
                    report = self.run_file(self.scenario(url, CLONES, repositories=1, target=self.target(bad)))
                    self.assertEqual(report["operations"]["clone"]["failures"], {"tls": 12})

    def test_a_fan_out_over_tls_with_a_password(self):
        with Origin("--tls", certificates.folder(), "--user", f"ada:{self.secret}", "--pack", "128KiB") as origin:
            target = self.target(f'tls_ca = "{certificates.folder() / "localhost.crt"}"', 'user = "ada"', f'password_file = "{self.secret}"')
            report = self.run_file(self.scenario(f"https://{origin.address}", SHORT + '''
[runners]
count = 5
[operation.push]
verb = "push"
bytes = "1536KiB"
[operation.job]
verb = "fetch"
[arrivals.hook]
shape = "fan_out"
operations = ["job"]
push = "push"
count = 4
window = "100ms"
''', repositories=1, target=target))
            self.all_well(report, push=1, job=4)

    def test_a_401_is_answered_as_git_does_it(self):
        with Origin("--user", f"ada:{self.secret}", "--pack", "128KiB") as origin:
            url = f"http://{origin.address}"
            known = ('user = "ada"', f'password_file = "{self.secret}"')

            def storm(*words):
                before = origin.ask("GET", "/stats")["challenges"]
                report = self.run_file(self.scenario(url, CLONES, repositories=1, target=self.target(*words)))
                return report, origin.ask("GET", "/stats")["challenges"] - before

            report, challenges = storm(*known)
            self.all_well(report, clone=12)
            self.assertEqual((challenges, report["operations"]["clone"]["requests"]), (12, 48))
            self.assertEqual(report["operations"]["clone"]["phases"]["challenge"]["count"], 12)
            report, challenges = storm(*known, 'authentication = "basic"')
            self.all_well(report, clone=12)
            self.assertEqual((challenges, report["operations"]["clone"]["requests"]), (0, 36))
            report, challenges = storm()
            self.assertEqual((challenges, report["operations"]["clone"]["failures"]), (12, {"status": 12}))
            wrong = self.file("open\n", "wrong")
            report, challenges = storm(known[0], f'password_file = "{wrong}"')
            self.assertEqual((challenges, report["operations"]["clone"]["failures"]), (24, {"status": 12}))

    def test_a_token_goes_as_a_bearer(self):
        with Origin("--pack", "64KiB") as origin, Recorder(int(origin.address.rpartition(":")[2])) as recorder:
            target = self.target('authentication = "bearer"', f'password_file = "{self.secret}"')
            self.all_well(self.run_file(self.scenario(f"http://127.0.0.1:{recorder.port}", CLONES, repositories=1, target=target)), clone=12)
            fields = {request.field("Authorization") for connection in recorder.connections for request in connection}
        self.assertEqual(fields, {"Bearer sesame"})

    def lfs_storm(self, origin, url, target="", name=None, times=1, rest=SHORT):
        headers = {"Authorization": "Basic " + base64.b64encode(b"ada:sesame").decode()}
        listed = json.loads(origin.request("GET", "/repository-0.git/info/lfs/objects/", fields=headers)[2])
        objects = ",".join(f"{name or each['oid']}:{each['size']}" for each in listed[:2] * times)
        report = self.run_file(self.scenario(url, rest + f'''
[runners]
count = 3
[operation.lfs]
verb = "lfs"
path = "{objects}"
[arrivals.lfs]
rate = "5/s"
''', repositories=1, target=target))
        return report, listed[:2]

    def test_lfs_objects_are_whole(self):
        with Origin("--lfs", "64KiB") as origin:
            report, objects = self.lfs_storm(origin, f"http://{origin.address}")
            self.assertEqual(len(objects), 2)
            self.all_well(report, lfs=10)
            self.assertEqual(report["operations"]["lfs"]["requests"], 30)
            self.assertEqual(report["operations"]["lfs"]["pack_bytes"], 10 * sum(each["size"] for each in objects))
            report, _ = self.lfs_storm(origin, f"http://{origin.address}", name="1" * 64)
            self.assertEqual(report["operations"]["lfs"]["failures"], {"git": 10})

    def test_lfs_objects_come_side_by_side(self):
        # Objects that take a second, so that nobody is done before the last one has begun.
        with Origin("--lfs", "1MiB", "--rate", "1MiB") as origin, Recorder(int(origin.address.rpartition(":")[2])) as recorder:
            report, objects = self.lfs_storm(origin, f"http://127.0.0.1:{recorder.port}", times=6)
            self.all_well(report, lfs=10)
            self.assertEqual(report["operations"]["lfs"]["requests"], 10 * 13)
            self.assertEqual(report["operations"]["lfs"]["pack_bytes"], 10 * 6 * sum(each["size"] for each in objects))
            lines = [[request.line.split()[0] for request in connection] for connection in recorder.connections]
        # Each operation has one that begins with the batch, and seven beside it.
        self.assertEqual([line[0] for line in lines].count("POST"), 10)
        self.assertEqual(sum(len(line) for line in lines), 10 * 13)
        self.assertEqual(len(lines), 10 * 8)

    def test_lfs_downloads_end_with_the_storm(self):
        with Origin("--lfs", "32MiB", "--rate", "512KiB") as origin:
            report, _ = self.lfs_storm(origin, f"http://{origin.address}", times=6, rest='[storm]\nlength = "1s"\ngrace = "1s"\n')
            self.assertEqual(report["operations"]["lfs"]["failures"], {"timed_out": 5})
            self.assertLess(report["generator"]["elapsed_seconds"], 30)  # and not the minute of an object

    def test_lfs_with_a_password(self):
        with Origin("--lfs", "64KiB", "--user", f"ada:{self.secret}") as origin:
            report, _ = self.lfs_storm(origin, f"http://{origin.address}", self.target('user = "ada"', f'password_file = "{self.secret}"'))
            self.all_well(report, lfs=10)
            # The batch twice, the objects with the credentials that are known by then.
            self.assertEqual(report["operations"]["lfs"]["requests"], 40)


class Replayed(FromFiles):
    def test_what_breakwater_has_logged(self):
        """git's own requests through the proxy, and then the storm that its log makes of them, twice as fast."""
        with Origin("--repositories", 2, "--pack", "16KiB") as origin, Git() as git:
            with Proxy([origin.address]) as proxy:
                url = f"http://127.0.0.1:{proxy.port}/repository-"
                for number in range(2):
                    git.run("clone", "-q", f"{url}{number}.git", self.folder / f"work{number}")
                git.run("ls-remote", f"{url}1.git")
            log = self.file(proxy.stdout.text() + "\n", "access.log")
            path = self.scenario(f"http://{origin.address}", SHORT + '[operation.clone]\nverb = "clone"\n[operation.poll]\nverb = "ls-remote"\n'
                                 '[arrivals.again]\nshape = "replay"\noperations = ["clone", "poll"]\nspeed_percent = 200\n' + f'log = "{log}"\n')
            self.all_well(self.run_file(path), clone=2, poll=1)

    def test_of_a_log_that_is_none(self):
        log = self.file("What is this?\n", "access.log")
        replay = '[arrivals.again]\nshape = "replay"\n' + f'log = "{log}"\n'
        path = self.scenario("http://127.0.0.1:1", SHORT + '[operation.clone]\nverb = "clone"\n' + replay)
        self.assertIn("`log` in [arrivals.again]: ", stormgen("check", path).stderr)
        self.assertIn("access.log is no access log of breakwater's: see its line 1\n", stormgen("check", path).stderr)
        log.unlink()
        self.assertIn("access.log can't be read: No such file or directory\n", stormgen("check", path).stderr)


class Readme(FromFiles):
    """README's section about storms, followed to the letter: only ports are others, and times shorter."""

    def setUp(self):
        super().setUp()
        section = re.search(r"(?ms)^## Storm your own server\n(.*?)^## ", (ROOT / "README.md").read_text())[1]
        self.commands = {words[0]: words[1:] for words in (line.split()[1:] for line in section.splitlines() if line.startswith("    ./build/loadgen/stormgen "))}

    def test_its_server_did_not_have_what_its_storms_ask_for(self):
        self.assertEqual(set(self.commands), {"origin", "clone", "run"})
        listen, address, *options = self.commands["origin"]
        self.assertEqual((listen, address), ("--listen", "127.0.0.1:3000"))
        with Origin(*options) as origin:
            words = [word.replace(address, origin.address) for word in self.commands["clone"]]
            words[words.index("--for") + 1] = "1s"
            words[words.index("--html") + 1] = self.folder / "storm.html"
            self.all_well(stormgen_test.lenient("clone", *words), clone=50)
            text = (ROOT / self.commands["run"][0]).read_text().replace(address, origin.address)
            for long, short in (("count = 2000", "count = 40"), ('window = "30s"', 'window = "1s"')):
                self.assertIn(long, text)
                text = text.replace(long, short)
            self.all_well(self.run_file(self.file(text)), checkout=40)


class WhatIsSaid(FromFiles):
    def test_of_a_file_that_is_wrong(self):
        path = self.scenario("http://127.0.0.1:1", CLONES.replace("verb =", "vreb ="))
        for words in (("check", path), ("run", path), ("run", path, "--dry-run")):
            with self.subTest(words=words):
                ran = stormgen(*words)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertEqual(ran.stderr, f'''{path}:10:12: error: [operation.clone] has neither a `verb` nor a `client`
  10 | [operation.clone]
     |            ^^^^^ for example verb = "clone"
{path}:11:1: error: unknown key `vreb` in [operation.clone]
  11 | vreb = "clone"
     | ^^^^ did you mean `verb`?
2 errors; nothing was begun
''')

    def test_of_a_password_that_cannot_be_read(self):
        path = self.scenario("http://127.0.0.1:1", CLONES, target='user = "ada"\npassword_file = "nowhere"\n')
        ran = stormgen("check", path)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        self.assertEqual(ran.stderr, f'''{path}:5:17: error: `password_file` in [target]: nowhere has no first line that could be read
  5 | password_file = "nowhere"
    |                 ^^^^^^^^^
1 error; nothing was begun
''')

    def test_of_a_file_that_is_good(self):
        path = self.scenario("http://127.0.0.1:1", CLONES)
        ran = stormgen("check", path)
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertEqual(ran.stdout, f"{path}: ok\n12 operations of 6 runners in 2s, up to 12/s, 2 repositories at http://127.0.0.1:1, seed 1\n")
        ran = stormgen("check", path, "--target", "https://git.example.com/x")
        self.assertIn("2 repositories at https://git.example.com:443/x, seed 1\n", ran.stdout)

    def test_of_a_plan(self):
        ran = stormgen("run", self.scenario("http://192.0.2.1", CLONES), "--dry-run")
        self.assertEqual((ran.returncode, ran.stderr), (0, ""))
        self.assertTrue(ran.stdout.startswith(f"12 operations of 6 runners, seed 1\n  clone               12\n     0 s     12 {'#' * 50}\nthe first of them\n"),
                        ran.stdout)
        self.assertEqual(ran.stdout.count(" s clone                /repository-"), 10)

    def test_another_machine_takes_a_ceiling_that_holds_for_its_bursts(self):
        path = self.scenario("http://192.0.2.1", CLONES)
        allowed = ("--allow-target", "192.0.2.1", "--max-runners", 6, "--max-rate")
        for words, sentence in (((), "192.0.2.1 is another machine"), ((*allowed, "11/s"), "up to 12/s operations would begin, above --max-rate 11/s"),
                                (("--allow-target", "192.0.2.1", "--max-runners", 5, "--max-rate", "12/s"), "6 runners, above --max-runners 5")):
            with self.subTest(words=words):
                ran = stormgen("run", path, *words)
                self.assertEqual((ran.returncode, ran.stdout), (2, ""))
                self.assertIn(sentence, ran.stderr)

    def test_of_the_scenarios_that_come_along(self):
        files = sorted((ROOT / "loadgen/scenarios").glob("*.toml"))
        self.assertEqual(len(files), 6)
        for path in files:
            with self.subTest(path.name):
                ran = stormgen("check", path)
                self.assertEqual((ran.returncode, ran.stderr), (0, ""))
                self.assertTrue(ran.stdout.startswith(f"{path}: ok\n"))


if __name__ == "__main__":
    stormgen_test.STORMGEN = storm_origin_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main()
