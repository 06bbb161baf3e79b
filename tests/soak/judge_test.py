#!/usr/bin/env python3
"""A soak that can't fail finds nothing: what its judge has to complain about. Python's standard library only."""

import random
import sys
import unittest
from collections import Counter
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import phases  # noqa: E402


def report(ended=100, **failures):
    return {"operations": {"clone": {"ended": ended, "failures": failures}}, "first_words": {}}


def phase(name):
    return next(each for each in phases.FAULTY if each.name == name)


class Judge(unittest.TestCase):
    def judge(self, of, reads, pushes=None, **given):
        return phases.judge(of, {"reads": reads, "pushes": pushes or report()}, Counter(given))

    def test_what_is_explained(self):
        self.assertEqual(self.judge(phases.QUIET, report()), [])
        self.assertEqual(self.judge(phase("reset"), report(truncated=3, status=1), reset=4), [])
        self.assertEqual(self.judge(phase("reset"), report(), reset=4), [])
        self.assertEqual(self.judge(phase("flip"), report(corrupt=5), flip=5), [])

    def test_a_failure_without_a_fault(self):
        self.assertEqual(len(self.judge(phases.QUIET, report(truncated=1))), 1)
        self.assertEqual(len(self.judge(phases.QUIET, report(), report(git=1))), 1)
        self.assertEqual(len(self.judge(phase("slow"), report(stalled=1), slow=9)), 1)

    def test_a_failure_of_another_kind(self):
        self.assertEqual(len(self.judge(phase("reset"), report(git=1), reset=9)), 1)

    def test_more_failures_than_faults(self):
        self.assertEqual(len(self.judge(phase("reset"), report(truncated=5), reset=4)), 1)

    def test_a_wrong_pack_that_passed_for_a_right_one(self):
        self.assertEqual(len(self.judge(phase("flip"), report(corrupt=4), flip=5)), 1)

    def test_a_right_pack_that_became_wrong(self):
        self.assertEqual(len(self.judge(phase("kill"), report(corrupt=1))), 2)

    def test_storms_in_which_nothing_happened(self):
        self.assertEqual(len(self.judge(phases.QUIET, report(ended=0))), 1)

    def test_all_faults_come_in_an_order_that_the_seed_decides(self):
        one, again, other = ([each.name for each in islice(phases.order(random.Random(seed), None), 43)] for seed in (1, 1, 2))
        self.assertEqual(one, again)
        self.assertNotEqual(one, other)
        self.assertEqual(phases.round_length(None), 22)
        self.assertEqual(one[0], phases.CROWD.name)
        self.assertEqual(set(one[1:22]), {each.name for each in phases.FAULTY} | {phases.QUIET.name, phases.QUIET_TLS.name})


if __name__ == "__main__":
    unittest.main()
