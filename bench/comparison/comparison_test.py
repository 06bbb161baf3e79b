#!/usr/bin/env python3
"""What bench/compare makes of its measurements: paired ratios, the best of several configurations, goals, and when a goal
counts as missed, waived or not valid. On made-up figures; Python's standard library only.
"""

import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

from comparison import cases, measure, proxies, report  # noqa: E402
from comparison.cases import BULK, HANDSHAKES, REQUESTS, Case  # noqa: E402
from comparison.summary import summarise  # noqa: E402


def runs_of(label, metric, *values, **more):
    return [{"round": number, "contender": label, "failures": {}, metric: value} | more for number, value in enumerate(values)]


def bulk(**options):
    return Case("a", "a case", BULK, 1, **options)


def only_goal(case, *groups):
    """The one comparison with a goal, of the runs in `groups`."""
    runs = [run for group in groups for run in group]
    labels = list(dict.fromkeys(run["contender"] for run in runs))
    summary = summarise(case, labels, runs)
    report.case_lines(summary)  # it can be told
    entry, = (entry for entry in summary["comparisons"] if "goal" in entry)
    return entry


class Goals(unittest.TestCase):
    def test_ratio_is_taken_within_a_round(self):
        # Medians alone would say 2 / 3.
        entry = only_goal(bulk(ratios={"cpu_s_per_gb": 0.5}), runs_of("breakwater", "cpu_s_per_gb", 1, 2, 4),
                          runs_of("haproxy-splice", "cpu_s_per_gb", 2, 4, 3))
        self.assertEqual({"median": 0.5, "least": 0.5, "most": 4 / 3}, entry["figures"])
        self.assertEqual("met", report.result(entry))

    def test_best_haproxy(self):
        for metric, rival in (("cpu_s_per_gb", "haproxy-1m"), ("gb_per_s", "haproxy-splice")):
            entry = only_goal(bulk(ratios={metric: 1}), runs_of("breakwater", metric, 1), runs_of("haproxy-1m", metric, 2),
                              runs_of("haproxy-splice", metric, 3), runs_of("nginx", metric, 2.5))
            self.assertEqual(f"breakwater / {rival}", entry["text"])

    def test_best_breakwater(self):
        entry = only_goal(bulk(ratios={"cpu_s_per_gb": 0.5}), runs_of("breakwater", "cpu_s_per_gb", 3),
                          runs_of("breakwater-until-close", "cpu_s_per_gb", 1), runs_of("haproxy-1m", "cpu_s_per_gb", 2))
        self.assertEqual("breakwater-until-close / haproxy-1m", entry["text"])

    def test_missed(self):
        slow = runs_of("breakwater", "gb_per_s", 1, bound_by_rest=False), runs_of("haproxy-1m", "gb_per_s", 2)
        self.assertEqual("missed", report.result(only_goal(bulk(ratios={"gb_per_s": 1}), *slow)))

    def test_bound_by_the_rest(self):
        slow = runs_of("breakwater", "gb_per_s", 1, bound_by_rest=True), runs_of("haproxy-1m", "gb_per_s", 2)
        entry = only_goal(bulk(ratios={"gb_per_s": 1}), *slow)
        self.assertEqual("missed (the rest of the machine was the limit)", report.result(entry))
        entry = only_goal(bulk(ratios={"gb_per_s": 1}, may_be_bound=True), *slow)
        self.assertEqual("bound by the rest of the machine", report.result(entry))

    def test_met_though_the_rest_was_the_limit(self):
        fast = runs_of("breakwater", "gb_per_s", 3, bound_by_rest=True), runs_of("haproxy-1m", "gb_per_s", 2)
        entry = only_goal(bulk(ratios={"gb_per_s": 1}, may_be_bound=True), *fast)
        self.assertEqual("met (the rest of the machine was the limit)", report.result(entry))

    def test_cpu_time_is_never_waived(self):
        costly = runs_of("breakwater", "cpu_s_per_gb", 2, bound_by_rest=True), runs_of("haproxy-1m", "cpu_s_per_gb", 1)
        entry = only_goal(bulk(ratios={"cpu_s_per_gb": 1}, may_be_bound=True), *costly)
        self.assertEqual("missed", report.result(entry))

    def test_failure_makes_it_not_valid(self):
        failed = [{"round": 1, "contender": "haproxy-1m", "failed": "the proxy ended", "failures": {}}]
        entry = only_goal(bulk(ratios={"gb_per_s": 1}), runs_of("breakwater", "gb_per_s", 2, 2),
                          runs_of("haproxy-1m", "gb_per_s", 1), failed)
        self.assertEqual("not valid", report.result(entry))

    def test_scaling(self):
        case = Case("cores", "cores", REQUESTS, 1, cores=(1, 2), scaling={"requests_per_s": 1.8})
        entry = only_goal(case, runs_of("breakwater, 1 core", "requests_per_s", 10), runs_of("breakwater, 2 cores", "requests_per_s", 19),
                          runs_of("nginx, 1 core", "requests_per_s", 10), runs_of("nginx, 2 cores", "requests_per_s", 10))
        self.assertEqual(("breakwater, 2 cores / 1 core", "met"), (entry["text"], report.result(entry)))

    def test_handshakes_bound_by_the_rest(self):
        case = Case("a", "a case", HANDSHAKES, 1, may_be_bound=True, ratios={"handshakes_per_s": 1})
        entry = only_goal(case, runs_of("breakwater", "handshakes_per_s", 9, bound_by_rest=True), runs_of("haproxy-tickets", "handshakes_per_s", 10))
        self.assertEqual("bound by the rest of the machine", report.result(entry))
        case = Case("a", "a case", HANDSHAKES, 1, may_be_bound=True, ratios={"cpu_us_per_handshake": 1})
        entry = only_goal(case, runs_of("breakwater", "cpu_us_per_handshake", 11, bound_by_rest=True),
                          runs_of("haproxy-tickets", "cpu_us_per_handshake", 10))
        self.assertEqual("missed", report.result(entry))


class Handshakes(unittest.TestCase):
    def handshakes(self, done, resumed, *words):
        told = {"handshakes": done, "resumed": resumed, "seconds": 2, "tls": "TLSv1.3"}
        return measure.handshakes(Case("a", "a case", HANDSHAKES, 1, words), told, 0.5)

    def test_figures(self):
        for found in (self.handshakes(1000, 0), self.handshakes(1000, 990, "--resume")):
            self.assertEqual((500, 1000), (found["handshakes_per_s"], found["cpu_us_per_handshake"]))

    def test_others_than_wanted(self):
        self.assertEqual("1 of 1000 handshakes were resumed", self.handshakes(1000, 1)["failed"])
        self.assertEqual("900 of 1000 handshakes were resumed", self.handshakes(1000, 900, "--resume")["failed"])
        self.assertEqual("no handshake was completed", self.handshakes(0, 0)["failed"])


class Contenders(unittest.TestCase):
    def test_those_that_a_case_names_are_there(self):
        for case in cases.make():
            self.assertLessEqual(set(case.contenders), set(proxies.NAMES), case.name)

    def test_metrics_with_a_goal_are_measured(self):
        for case in cases.make():
            self.assertLessEqual(set(case.ratios), set(case.metrics), case.name)
            self.assertLessEqual({*case.metrics, *case.values}, set(cases.METRICS), case.name)


if __name__ == "__main__":
    unittest.main()
