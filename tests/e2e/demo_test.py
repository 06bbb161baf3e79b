#!/usr/bin/env python3
"""The demonstration, as a newcomer starts it: it must work, and must leave nothing behind.

    demo_test.py BUILD_FOLDER

Python's standard library and git only.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

DEMO = Path(__file__).resolve().parents[2] / "tools" / "demo"
BUILD = None  # from the command line
SECONDS_MAX = 90


class Demo(unittest.TestCase):
    def setUp(self):
        holder = tempfile.TemporaryDirectory(prefix="breakwater-demo-test-")
        self.addCleanup(holder.cleanup)
        self.folder = Path(holder.name)
        self.environment = os.environ | {"TMPDIR": holder.name}

    def start(self, *words, build=None):
        return subprocess.Popen([sys.executable, DEMO, "--build", build or BUILD, *words], env=self.environment,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def services(self, demo):
        """The ids of the programs that the demonstration has started."""
        found = []
        for task in Path(f"/proc/{demo.pid}/task").iterdir():
            found += (task / "children").read_text().split()
        return found

    def expect_nothing_left(self, services=()):
        self.assertEqual([], list(self.folder.iterdir()))
        for service in services:
            self.assertFalse(Path(f"/proc/{service}").exists(), f"process {service} still runs")

    def test_once(self):
        demo = self.start("--once")
        output, errors = demo.communicate(timeout=SECONDS_MAX)
        self.assertEqual(0, demo.returncode, output + errors)
        for words in ("cloned through Breakwater", "pushed a commit through Breakwater", "git fsck finds nothing",
                      "access log", "It works"):
            self.assertIn(words, output)
        self.expect_nothing_left()

    def stays_up_until(self, number):
        demo = self.start()
        try:
            address = None
            for line in demo.stdout:
                found = re.search(r"git clone (http://127\.0\.0\.1:\d+/sample\.git)", line)
                address = found[1] if found else address
                if "Running until" in line:
                    break
            self.assertIsNotNone(address, "no address to try was printed")
            listed = subprocess.run(["git", "ls-remote", address], env=self.environment, capture_output=True, text=True,
                                    timeout=SECONDS_MAX, check=True)
            self.assertIn("refs/tags/v1.0", listed.stdout)
            services = self.services(demo)
            self.assertEqual(2, len(services))
            demo.send_signal(number)
            output, errors = demo.communicate(timeout=SECONDS_MAX)
        finally:
            demo.kill()
            demo.wait()
        self.assertEqual(0, demo.returncode, output + errors)
        self.expect_nothing_left(services)

    def test_sigterm_ends_it(self):
        self.stays_up_until(signal.SIGTERM)

    def test_ctrl_c_ends_it(self):
        self.stays_up_until(signal.SIGINT)

    def test_missing_programs_are_named(self):
        demo = self.start("--once", build=str(self.folder / "none"))
        _, errors = demo.communicate(timeout=SECONDS_MAX)
        self.assertEqual(1, demo.returncode)
        self.assertIn("not built", errors)
        self.expect_nothing_left()

    def test_a_program_that_does_not_start_is_a_failure(self):
        with tempfile.TemporaryDirectory() as other:
            build = Path(other)
            (build / "src").mkdir()
            (build / "loadgen").mkdir()
            (build / "loadgen" / "breakwater-origin").symlink_to(Path(BUILD).resolve() / "loadgen" / "breakwater-origin")
            breakwater = build / "src" / "breakwater"
            breakwater.write_text("#!/bin/sh\necho 'breakwater: no rings today' >&2\nexit 1\n")
            breakwater.chmod(0o755)
            demo = self.start("--once", build=other)
            _, errors = demo.communicate(timeout=SECONDS_MAX)
        self.assertEqual(1, demo.returncode)
        self.assertIn("no rings today", errors)
        self.expect_nothing_left()


if __name__ == "__main__":
    BUILD = sys.argv.pop(1)
    unittest.main(verbosity=2)
