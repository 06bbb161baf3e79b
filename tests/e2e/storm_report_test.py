#!/usr/bin/env python3
"""The results of a storm in all their forms, as others read them: HdrHistogram's encoding is taken apart by struct and zlib alone, CSV by
csv, the pages by a real browser (that part is skipped where there is no Chromium), the screen through a terminal.

usage: storm_report_test.py STORMGEN [TEST...]. Python's standard library only.
"""

import base64
import csv
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

import browser_test  # noqa: E402
import storm_origin_test  # noqa: E402
import stormgen_test  # noqa: E402
from servers import find_program  # noqa: E402
from stormgen_test import stormgen  # noqa: E402

SECONDS_MAX = stormgen_test.SECONDS_MAX
# Whether a run is valid depends on who else is on this machine, so no test asks for that.
EASY = ("--runners", 10, "--rate", "60/s", "--for", "2s", "--grace", "60s", "--deep-check", 0)


# ---- HdrHistogram's V2 encoding, from its description and not from our source

def zigzag_numbers(payload):
    at = 0
    while at < len(payload):
        value = 0
        for i in range(9):
            byte = payload[at]
            at += 1
            value |= (byte if i == 8 else byte & 0x7F) << (7 * i)
            if i == 8 or byte < 0x80:
                break
        yield (value >> 1) ^ -(value & 1)


def highest_value(index, digits):
    """Of HdrHistogram's counts array at this index, with 1 as the lowest value."""
    sub_buckets = 1 << (2 * 10 ** digits - 1).bit_length()
    half = sub_buckets // 2
    bucket = index // half - 1
    sub_bucket = index % half + half
    if bucket < 0:
        return index
    return ((sub_bucket + 1) << bucket) - 1


def decoded(text):
    """{highest value of its bucket: how often}"""
    data = base64.b64decode(text, validate=True)
    cookie, length = struct.unpack_from(">II", data)
    assert cookie == 0x1C849314 and length == len(data) - 8, (hex(cookie), length)
    plain = zlib.decompress(data[8:])
    cookie, length, offset, digits, lowest, highest, ratio = struct.unpack_from(">IIIIQQd", plain)
    assert (cookie, length, offset, lowest, ratio) == (0x1C849313, len(plain) - 40, 0, 1, 1.0)
    counts, index = {}, 0
    for number in zigzag_numbers(plain[40:]):
        if number < 0:
            index += -number
            continue
        if number > 0:
            counts[highest_value(index, digits)] = number
        index += 1
    assert not counts or max(counts) <= max(highest, 2)
    return counts


def percentile(counts, share):
    wanted, seen = share * sum(counts.values()), 0
    for value in sorted(counts):
        seen += counts[value]
        if seen >= wanted:
            return value
    return 0


class Stormed(unittest.TestCase):
    """One storm of two seconds, and its files."""

    @classmethod
    def setUpClass(cls):
        cls.origin = cls.enterClassContext(storm_origin_test.Origin("--pack", "64KiB", "--refs", "10"))
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="storm-report-test-")))

    @classmethod
    def file(cls, name):
        return cls.folder / name

    def storm(self, *words, verb="clone", url=None):
        return stormgen(verb, url or self.origin.url(), *EASY, *words)

    def report_of(self, name, *words, **more):
        ran = self.storm("--json", self.file(name), *words, **more)
        self.assertTrue(self.file(name).exists(), ran.stdout + ran.stderr)
        return json.loads(self.file(name).read_text())


class Files(Stormed):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.origin.fault(kind="flip", share=0.2, seed=5)
        cls.report = cls().report_of("r.json", "--csv", cls.file("r.csv"), "--hdr", cls.file("r.hlog"), "--hgrm", cls.file("r.hgrm"))

    def test_json_has_histograms_that_anybody_can_read(self):
        clone = self.report["operations"]["clone"]
        self.assertEqual(clone["ended"], 120)
        self.assertGreater(clone["failed"], 5)
        for figures in (clone["latency"], *clone["phases"].values()):
            counts = decoded(figures["hdr"])
            self.assertEqual(sum(counts.values()), figures["count"])
            for name, share in (("p50_us", 0.5), ("p90_us", 0.9), ("p99_us", 0.99), ("p99_9_us", 0.999)):
                self.assertEqual(figures[name], min(percentile(counts, share), figures["max_us"]))
        self.assertEqual(clone["latency"]["count"], 120 - clone["failed"])

    def test_parts_have_what_the_whole_has(self):
        clone = self.report["operations"]["clone"]
        self.assertEqual(len(clone["parts"]), 32)
        self.assertEqual(sum(part["ended"] for part in clone["parts"]), 120)
        self.assertEqual(sum(part["failed"] for part in clone["parts"]), clone["failed"])
        self.assertEqual(sum(sum(decoded(part["phases"]["done"]).values()) for part in clone["parts"] if "phases" in part),
                         clone["phases"]["done"]["count"])

    def test_the_interval_log_has_every_latency_once(self):
        lines = self.file("r.hlog").read_text().splitlines()
        comments = [line for line in lines if line.startswith("#")]
        self.assertIn("#[Histogram log format version 1.3]", comments)
        started = self.report["run"]["started_unix"]
        self.assertTrue(any(line.startswith(f"#[StartTime: {started}.000 (seconds since epoch)") for line in comments), comments)
        rows = list(csv.reader(line for line in lines if not line.startswith("#")))
        self.assertEqual(rows[0], ["StartTimestamp", "Interval_Length", "Interval_Max", "Interval_Compressed_Histogram"])
        together = {}
        for i, (start, length, highest, text) in enumerate(rows[1:]):
            self.assertEqual((float(start), float(length)), (i, 1))
            counts = decoded(text)
            for value, count in counts.items():
                together[value] = together.get(value, 0) + count
            self.assertGreaterEqual(max(counts, default=0), int(float(highest) * 1000 + 0.5))  # in milliseconds
        latency = self.report["operations"]["clone"]["latency"]
        self.assertEqual(sum(together.values()), latency["count"])
        for name, share in (("p50_us", 0.5), ("p99_us", 0.99)):
            self.assertAlmostEqual(percentile(together, share) / latency[name], 1, delta=0.04)
        self.assertEqual(max(float(row[2]) for row in rows[1:]), latency["max_us"] / 1000)

    def test_csv_adds_up_to_the_report(self):
        with self.file("r.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        clone = self.report["operations"]["clone"]
        self.assertEqual([int(row["second"]) for row in rows], list(range(len(rows))))
        self.assertEqual({row["operation"] for row in rows}, {"clone"})
        for field in ("ended", "failed", "bytes_received", "bytes_sent"):
            self.assertEqual(sum(int(row[field]) for row in rows), clone[field], field)
        self.assertEqual(sum(int(row["begun"]) for row in rows), 120)
        self.assertEqual(sum(int(row["failed_corrupt"]) for row in rows), clone["failures"]["corrupt"])
        for row, of_json in zip(rows, self.report["series"]["rows"], strict=True):
            if "latency" in of_json:
                self.assertEqual(int(row["latency_p99_us"]), percentile(decoded(of_json["latency"]), 0.99))

    def test_the_distribution_ends_with_everything(self):
        text = self.file("r.hgrm").read_text()
        rows = [line.split() for line in text.splitlines()[2:] if not line.startswith("#")]
        latency = self.report["operations"]["clone"]["latency"]
        self.assertEqual((float(rows[-1][0]), float(rows[-1][1]), int(rows[-1][2])), (latency["max_us"] / 1000, 1, latency["count"]))
        self.assertEqual(sorted(rows, key=lambda row: float(row[1])), rows)
        self.assertIn(f"Total count    = {latency['count']:12}]", text)


class Judged(Stormed):
    def test_a_condition_that_is_met_fails_the_run_and_says_so(self):
        ran = self.storm("--fail-if", "clone.p99.done > 1us", "--fail-if", "failures > 0.1%", "--fail-if", "ended < 120")
        self.assertEqual(ran.returncode, 1)
        failed = re.findall(r"^FAILED: (.*)$", ran.stdout, re.MULTILINE)
        self.assertEqual(len(failed), 1, ran.stdout)
        self.assertRegex(failed[0], r"^clone\.p99\.done > 1us: it is [0-9.]+ [mu]?s, and so above 1 us$")

    def test_failures_are_too_many_where_a_condition_says_so(self):
        self.origin.fault(kind="flip", share=0.2, seed=5)
        few = self.storm("--fail-if", "failures > 100", "--json", self.file("few.json"))
        valid = json.loads(self.file("few.json").read_text())["valid"]
        self.assertEqual(few.returncode, 0 if valid else 1)
        self.assertNotIn("FAILED", few.stdout)
        many = self.storm("--fail-if", "clone.failures.corrupt > 5%")
        self.assertEqual(many.returncode, 1)
        self.assertRegex(many.stdout, r"FAILED: clone\.failures\.corrupt > 5%: it is [0-9.]+ %, and so above 5\.000 %")

    def test_a_condition_that_is_none_is_an_error_before_anything_begins(self):
        ran = self.storm("--fail-if", "p99.tftb > 500ms", "--fail-if", "clon.failures > 1", "--json", self.file("never.json"))
        self.assertEqual(ran.returncode, 2)
        self.assertIn("--fail-if: there is no such phase; did you mean ttfb?\n  p99.tftb > 500ms\n      ^\n", ran.stderr)
        self.assertIn("did you mean clone?\n  clon.failures > 1\n  ^\n", ran.stderr)
        self.assertIn("nothing was begun", ran.stderr)
        self.assertFalse(self.file("never.json").exists())


class Opened(Stormed):
    """What is to be written is tried before anything begins."""

    def refused(self, *words):
        ran = self.storm(*words)
        self.assertEqual((ran.returncode, ran.stdout), (2, ""))
        return ran.stderr

    def test_a_file_that_can_not_be_written_is_said_before_the_storm(self):
        nowhere = self.folder / "nowhere" / "x.json"
        before = self.origin.ask("GET", "/stats")["requests"]
        self.assertEqual(self.refused("--json", nowhere), f"stormgen: {nowhere} can't be written: No such file or directory; nothing was begun\n")
        self.assertEqual(self.refused("--html", self.folder), f"stormgen: {self.folder} can't be written: Is a directory; nothing was begun\n")
        self.assertEqual(self.origin.ask("GET", "/stats")["requests"], before)

    def test_a_refused_storm_leaves_no_empty_file_and_what_was_there(self):
        first, old = self.file("first.json"), self.file("old.html")
        old.write_text("an old report")
        self.refused("--json", first, "--html", old, "--csv", self.folder)
        self.refused("--json", first, "--html", old, "--driver", "git", "--download", "1MiB")
        self.assertFalse(first.exists())
        self.assertEqual(old.read_text(), "an old report")

    def test_a_device_that_takes_nothing_fails_the_run(self):
        ran = self.storm("--csv", "/dev/full", "--json", self.file("beside.json"))
        self.assertEqual(ran.returncode, 1)
        self.assertIn("stormgen: /dev/full can't be written: No space left on device\n", ran.stderr)
        self.assertTrue(self.file("beside.json").exists())

    def test_a_standard_output_that_takes_nothing_was_a_pass(self):
        for words in (("clone", self.origin.url(), *EASY), ("clone", self.origin.url(), "--dry-run"), ("--help",), ("origin", "--help")):
            with self.subTest(words[-1]), open("/dev/full", "w", encoding="ascii") as full:
                ran = subprocess.run([stormgen_test.STORMGEN, *map(str, words)], stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True,
                                     timeout=SECONDS_MAX, check=False)
                self.assertEqual(ran.returncode, 1)
                self.assertTrue(ran.stderr.endswith("stormgen: standard output can't be written: No space left on device\n"), ran.stderr)

    def test_a_standard_error_that_takes_nothing_does_not_end_a_storm(self):
        path = self.file("unheard.json")
        with open("/dev/full", "w", encoding="ascii") as full:
            ran = subprocess.run([stormgen_test.STORMGEN, "clone", self.origin.url(), "--rate", "20/s", "--for", "3s", "--deep-check", "0", "--json", path],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=full, text=True, timeout=SECONDS_MAX, check=False)
        self.assertIn(ran.returncode, (0, 1))  # late or not
        self.assertEqual(json.loads(path.read_text())["all"]["ended"], 60)

    def test_a_page_of_a_comparison_that_can_not_be_written(self):
        self.report_of("one.json")
        ran = stormgen("compare", self.file("one.json"), self.file("one.json"), "--allow-invalid", "--html", self.folder)
        self.assertEqual((ran.returncode, ran.stdout, ran.stderr), (2, "", f"stormgen: {self.folder} can't be written: Is a directory\n"))


class BrokenOff(Stormed):
    def test_a_storm_that_a_signal_ended_did_not_pass(self):
        for number, times in ((signal.SIGTERM, 1), (signal.SIGINT, 1), (signal.SIGHUP, 2)):  # a shell's and the kernel's
            with self.subTest(number.name):
                words = ("clone", self.origin.url(), "--rate", "20/s", "--for", "60s", "--deep-check", 0, "--json", self.file("broken.json"))
                storm = subprocess.Popen([stormgen_test.STORMGEN, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.PIPE, text=True)
                with storm:
                    storm.stderr.readline()  # of the second second
                    for _ in range(times):
                        storm.send_signal(number)
                        time.sleep(0.1)
                    said, _ = storm.communicate(timeout=SECONDS_MAX)
                self.assertEqual(storm.returncode, 1)
                self.assertRegex(said, r"^INVALID: ended by a signal after [0-9.]+ s of 60 s\n")
                report = json.loads(self.file("broken.json").read_text())
                self.assertFalse(report["valid"])
                self.assertRegex(report["doubts"][0], "^ended by a signal")
                self.assertGreater(report["all"]["ended"], 0)


    def test_a_hangup_that_is_ignored_does_not_end_it(self):
        words = ("clone", self.origin.url(), "--rate", "20/s", "--for", "3s", "--deep-check", 0)
        storm = subprocess.Popen(["nohup", stormgen_test.STORMGEN, *map(str, words)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, text=True)
        with storm:
            storm.stderr.readline()
            storm.send_signal(signal.SIGHUP)
            said, _ = storm.communicate(timeout=SECONDS_MAX)
        self.assertNotIn("ended by a signal", said)


class Compared(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="storm-report-test-")))
        for name, compute in (("a", "0s"), ("b", "300ms")):
            with storm_origin_test.Origin("--pack", "64KiB", "--refs", "10", "--compute", compute) as origin:
                stormgen("clone", origin.url(), "--runners", 40, *EASY[2:], "--json", cls.folder / f"{name}.json")

    def compare(self, a, b, *words):
        return stormgen("compare", self.folder / a, self.folder / b, *words)

    def changed(self, change):
        report = json.loads((self.folder / "a.json").read_text())
        change(report)
        (self.folder / "changed.json").write_text(json.dumps(report))
        return "changed.json"

    def test_what_is_slower_is_called_slower_and_the_other_way_round(self):
        slower = self.compare("a.json", "b.json", "--allow-invalid")
        self.assertEqual(slower.returncode, 0, slower.stderr)
        self.assertRegex(slower.stdout, r"(?m)^B is slower: clone p50 latency [0-9.]+ \[[0-9.]+\.\.[0-9.]+\]")
        self.assertIn("too few to say", slower.stdout)  # 120 are too few for a p99
        self.assertEqual(self.compare("a.json", "b.json", "--allow-invalid", "--fail-if-worse").returncode, 1)
        self.assertRegex(self.compare("b.json", "a.json", "--allow-invalid").stdout, r"(?m)^B is faster: clone p50 latency 0\.")

    def test_a_run_with_itself_shows_no_difference(self):
        same = self.compare("a.json", "a.json", "--allow-invalid", "--fail-if-worse")
        self.assertEqual(same.returncode, 0)
        self.assertTrue(same.stdout.startswith("no difference that these runs can show\n"), same.stdout)
        self.assertEqual(same.stdout, self.compare("a.json", "a.json", "--allow-invalid").stdout)  # by the same dice

    def test_an_invalid_run_is_refused_unless_it_is_asked_for(self):
        changed = self.changed(lambda report: report.update(doubts=["it rained"], valid=False))
        ran = self.compare("a.json", changed)
        self.assertEqual(ran.returncode, 2)
        self.assertRegex(ran.stderr, r"INVALID: .*--allow-invalid")
        self.assertIn("is INVALID: it rained", self.compare("a.json", changed, "--allow-invalid").stdout)

    def test_what_else_differs_is_said(self):
        changed = self.changed(lambda report: report["run"].update(cpu="another", scenario_hash="0"))
        told = self.compare("a.json", changed, "--allow-invalid").stdout
        self.assertIn("not the same CPU", told)
        self.assertIn("not the same scenario", told)

    def test_what_is_no_report_of_this_schema_is_refused_with_a_reason(self):
        for change, why in ((lambda report: report.update(schema=2), "its schema is 2, and this program reads 1"),
                            (lambda report: report["operations"]["clone"].pop("stalls"), "operations.clone.stalls is missing"),
                            (lambda report: report["operations"]["clone"]["latency"].update(hdr="AAAA"),
                             "operations.clone.latency.hdr is no histogram of this program's")):
            with self.subTest(why):
                ran = self.compare(self.changed(change), "a.json")
                self.assertEqual(ran.returncode, 2)
                self.assertIn(why, ran.stderr)
        (self.folder / "half.json").write_text((self.folder / "a.json").read_text()[:1000])
        self.assertIn("it is no JSON", self.compare("half.json", "a.json").stderr)
        self.assertIn("can't be read", self.compare("gone.json", "a.json").stderr)

    def test_a_page_of_it(self):
        page = self.folder / "compared.html"
        self.assertEqual(self.compare("a.json", "b.json", "--allow-invalid", "--html", page).returncode, 0)
        self.assertIn("<strong>B is slower: ", page.read_text())


class Watched(Stormed):
    """What is shown while it goes on."""

    def shown(self, **variables):
        """Standard error of a storm on a terminal of 70 columns, whole."""
        controller, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
        environment = {name: value for name, value in os.environ.items() if name != "NO_COLOR"} | {"TERM": "xterm"} | variables
        with subprocess.Popen([stormgen_test.STORMGEN, "clone", self.origin.url(), *map(str, EASY)], stdout=subprocess.DEVNULL, stderr=terminal,
                              env=environment) as storm:
            os.close(terminal)
            text = b""
            while True:
                try:
                    got = os.read(controller, 65536)
                except OSError:  # EIO: the terminal's last user is gone
                    break
                text += got
            storm.wait(timeout=SECONDS_MAX)
        os.close(controller)
        return text.decode()

    def test_a_terminal_has_one_screen_that_is_gone_at_the_end(self):
        text = self.shown()
        self.assertGreater(text.count("operations"), 2)
        self.assertIn("of 120 begun", text)
        self.assertIn("\x1b[2m", text)
        # Every frame but the first takes the last one's place, and the end leaves nothing of it.
        self.assertEqual(len(re.findall(r"\x1b\[7F\x1b\[J", text)), text.count("operations"))
        self.assertTrue(text.endswith("\x1b[J"), repr(text[-20:]))
        for line in re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).splitlines():
            self.assertLessEqual(len(line), 70)

    def test_no_color_is_honoured(self):
        self.assertNotRegex(self.shown(NO_COLOR="1"), r"\x1b\[[0-9;]*m")

    def test_without_a_terminal_or_with_a_dumb_one_there_are_lines(self):
        self.assertNotIn("\x1b", self.shown(TERM="dumb"))
        lines = stormgen("clone", self.origin.url(), "--rate", "20/s", "--for", "4s", "--deep-check", 0).stderr
        self.assertRegex(lines, r"(?m)^ +2 s: \d+ begun, \d+ ended, 0 failed, ")
        self.assertNotIn("\x1b", lines)


class Browser(browser_test.Browser):
    def picture(self, page, scheme):
        """The first pixel of the page as this scheme has it: its ground."""
        path = Path(self.home.name) / f"{scheme}.png"
        command = [browser_test.CHROMIUM, *browser_test.OPTIONS, f"--user-data-dir={self.home.name}/profile", "--window-size=1280,2200",
                   f"--blink-settings=preferredColorScheme={0 if scheme == 'dark' else 1}", f"--screenshot={path}", page]
        subprocess.run(command, env={"HOME": self.home.name, "PATH": "/usr/bin:/bin"}, capture_output=True, timeout=SECONDS_MAX, check=True)
        data, at, packed = path.read_bytes(), 8, b""
        while at < len(data):
            length, kind = struct.unpack_from(">I4s", data, at)
            packed += data[at + 8:at + 8 + length] if kind == b"IDAT" else b""
            at += length + 12
        return tuple(zlib.decompress(packed)[1:4])  # the first of a row is as it is, whatever its filter


class Pages(Stormed):
    HOSTILE = "/<script>document.title='taken'</script>.git"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if not browser_test.CHROMIUM:
            raise unittest.SkipTest("the pages in a real browser: there is no chromium here")

    def show(self, path):
        return self.enterContext(Browser()).page(path.as_uri())

    def test_a_page_with_all_its_plots(self):
        page = self.file("good.html")
        self.report_of("good.json", "--html", page)
        shown = self.show(page)
        for title in ("Operations a second", "Latency of what went well, by when it ended", "Bytes received a second", "Latency by percentile",
                      "Share of operations by latency"):
            self.assertIn(f"<figcaption>{title}</figcaption>", shown)
        self.assertEqual(shown.count('role="img"'), 5)
        self.assertNotIn("NaN", shown)
        browser = self.enterContext(Browser())
        light, dark = (browser.picture(page.as_uri(), scheme) for scheme in ("light", "dark"))
        self.assertGreater(min(light), 200)
        self.assertLess(max(dark), 60)

    def test_a_hostile_name_of_a_repository_is_text(self):
        page = self.file("hostile.html")
        report = self.report_of("hostile.json", "--html", page, url=self.origin.url().rsplit("/", 1)[0] + self.HOSTILE)
        self.assertEqual(report["run"]["repository"], self.HOSTILE)
        self.assertNotIn("<script", page.read_text())
        shown = self.show(page)
        self.assertIn("/&lt;script&gt;document.title='taken'&lt;/script&gt;.git", shown)
        self.assertRegex(shown, r"<title>clone at http://127\.0\.0\.1:\d+</title>")
        self.assertIn("another status than 200", shown)


if __name__ == "__main__":
    stormgen_test.STORMGEN = storm_origin_test.PROGRAM = os.path.abspath(sys.argv.pop(1))
    browser_test.CHROMIUM = find_program("chromium", "chromium-browser")
    unittest.main()
