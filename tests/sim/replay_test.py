#!/usr/bin/env python3
"""What a night with the simulator needs from its command line: one command that replays a failure, the same each time,
with its trace; a smaller scenario that still fails; a time limit; a summary that says what was never reached.

The arguments are the simulator and one with a planted bug. Python's standard library only.
"""

import re
import shlex
import subprocess
import sys
import time
import unittest

SIM = BROKEN = ""
SECONDS_MAX = 200


def run(*words):
    return subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=SECONDS_MAX, check=False)


def violation_of(result):
    return re.findall(r"^violation: (.*)$", result.stderr, re.M)


def command_of(text):
    """The one command that is printed, as words."""
    commands = re.findall(r"^replay with: (.*)$", text, re.M)
    assert len(commands) == 1, text[-2000:]
    return shlex.split(commands[0])


class AFailingSeed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.found = run(BROKEN, "--seeds", 100, "--jobs", 1)
        cls.replay = command_of(cls.found.stderr)

    def test_it_stops_the_run_and_says_what_is_wrong(self):
        self.assertEqual(self.found.returncode, 1)
        self.assertEqual(len(violation_of(self.found)), 1)

    def test_its_command_replays_it_with_a_trace_that_is_the_same_each_time(self):
        first, second = run(*self.replay), run(*self.replay)
        self.assertEqual(violation_of(first), violation_of(self.found))
        self.assertEqual((first.returncode, first.stdout), (second.returncode, second.stdout))
        # when, who, what: with bytes and connections
        for who, what in (("client", r"\d+ opens connection \d+"), ("kernel", r"connection \d+ receives \d+"),
                          ("kernel", r"connection \d+ sends \d+"), ("server", r"\d+ gets request \d+ on connection \d+: [A-Z]+ /")):
            self.assertRegex(first.stdout, rf"(?m)^ +\d+\.\d{{3}} ms +{who} +{what}")

    def test_the_shrinker_leaves_out_what_the_failure_does_not_need(self):
        def clients(described):
            return int(re.search(r"(\d+) clients", described)[1])

        before = clients(run(SIM, *self.replay[1:-1], "--describe").stdout)
        shrunk = run(*self.replay[:-1], "--shrink")
        self.assertEqual(shrunk.returncode, 0, shrunk.stderr)
        self.assertLess(clients(shrunk.stdout), before // 4)
        smaller = run(*command_of(shrunk.stdout))
        self.assertEqual(len(violation_of(smaller)), 1, "what is left does not fail")

    def test_a_seed_that_passes_is_not_shrunk(self):
        self.assertEqual(run(SIM, *self.replay[1:-1], "--shrink").returncode, 1)


class TheSummary(unittest.TestCase):
    def test_it_lists_what_was_reached_and_what_never_was(self):
        result = run(SIM, "--seeds", 2, "--jobs", 1)
        self.assertEqual(result.returncode, 0, result.stderr)
        reached, known = map(int, re.search(r"^(\d+) of (\d+) known states and transitions were reached; never:$",
                                            result.stdout, re.M).groups())
        never = result.stdout.split("; never:\n")[1].splitlines()
        self.assertEqual(len(never), known - reached)
        self.assertGreater(reached, 0)
        for line in (r"ended: done by done", r"counter: requests", r"fault: \w+", r"seen: receive: bytes"):
            self.assertRegex(result.stdout, rf"(?m)^  {line} +[1-9]\d*$")
        self.assertIn("  ended: done by server", never)

    def test_no_two_things_share_a_name(self):
        """`bad_head` and `stalls_in_body` were a server's and a client's, and one of them hid that the other was never reached."""
        result = run(SIM, "--seeds", 1, "--jobs", 1)
        names = result.stdout.split("; never:\n")[1].splitlines()
        self.assertEqual(len(names), len(set(names)))

    def test_it_ends_when_its_time_is_over(self):
        begun = time.monotonic()
        result = run(SIM, "--for", "2s", "--from", 5000, "--jobs", 2, "--quiet")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertGreaterEqual(time.monotonic() - begun, 2)
        self.assertRegex(result.stdout, r"^[1-9]\d* seeds in ")

    def test_mistakes_are_explained(self):
        for words in (["--nonsense"], ["--for", "soon"], ["--seeds"], ["--seeds", "many"], ["--seed", "7x"], ["--jobs", "-"]):
            result = run(SIM, *words)
            self.assertEqual(result.returncode, 2)
            self.assertIn("usage: sim", result.stderr)


if __name__ == "__main__":
    BROKEN = sys.argv.pop()
    SIM = sys.argv.pop()
    unittest.main()
