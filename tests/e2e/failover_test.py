#!/usr/bin/env python3
"""Servers and clients that go away while real git works, and a drain. Python's standard library only."""

import os
import signal
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "http"))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from git import Git, make_repository  # noqa: E402
from processes import children  # noqa: E402
from servers import Origin, free_port  # noqa: E402
from support import Proxy  # noqa: E402

EVENT_SECONDS_MAX = 30


def wait_for(condition, what):
    deadline = time.monotonic() + EVENT_SECONDS_MAX
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"it never came to this: {what}")
        time.sleep(0.02)


class Failover(unittest.TestCase):
    def setUp(self):
        self.git = self.enterContext(Git())
        self.server = self.enterContext(Origin())

    def start(self, *servers, blob_bytes=40_000):
        make_repository(self.git, self.server, commits=6, blob_bytes=blob_bytes)
        self.proxy = self.enterContext(Proxy(servers))
        self.url = f"http://127.0.0.1:{self.proxy.port}/team/app.git"

    def slow_clone(self):
        """A clone that is in the middle of its pack: git's end of the pipe is read no further."""
        clone = self.git.start("clone", "--bare", self.url, self.git.folder / "slow")
        moved = "breakwater_bytes_to_clients_total"
        wait_for(lambda: self.proxy.metrics()[moved] > 1_000_000, "a clone in the middle of its pack")
        os.kill(clone.pid, signal.SIGSTOP)
        return clone

    def stop_children(self, clone, number):
        for child in children(clone.pid):
            try:
                os.kill(int(child), number)
            except ProcessLookupError:
                pass

    def test_a_server_that_is_down_is_skipped(self):
        self.start(f"127.0.0.1:{free_port()}", self.server, f"127.0.0.1:{free_port()}")
        for number in range(6):
            target = self.git.folder / f"clone{number}"
            self.git.run("clone", "-q", self.url, target)
            self.git.fsck(target)
        self.assertGreater(self.proxy.metrics()["breakwater_server_connect_failures_total"], 0)

    def test_an_operation_stays_on_its_server(self):
        other = self.enterContext(Origin())
        self.start(self.server, other)
        bare = other.root / "team" / "app.git"
        bare.parent.mkdir()
        self.git.run("clone", "-q", "--mirror", self.server.root / "team/app.git", bare)
        for number in range(4):
            self.git.run("clone", "-q", self.url, self.git.folder / f"clone{number}")
        self.proxy.wait_for_log(lambda line: line.get("git") == "upload-pack" and line["bytes_out"] > 100_000)
        by_client, used = {}, set()
        for line in self.proxy.log_lines():
            by_client.setdefault(line["client"], set()).add(line["server"])
            used.add(line["server"])
        self.assertEqual([len(servers) for servers in by_client.values()], [1] * len(by_client))
        self.assertEqual(used, {self.server.address, other.address})

    def test_a_server_killed_in_the_middle_fails_the_clone(self):
        self.start(self.server, blob_bytes=20_000_000)
        clone = self.slow_clone()
        self.server.stop()
        os.kill(clone.pid, signal.SIGCONT)
        output, _ = clone.communicate(timeout=60)
        self.assertNotEqual(clone.returncode, 0, output)
        entry = self.proxy.wait_for_log(lambda line: line.get("git") == "upload-pack" and line["phase"] == "response_body")
        self.assertEqual(entry["ended_by"], "server")

    def test_a_client_killed_in_the_middle_stops_the_servers_git(self):
        self.start(self.server, blob_bytes=20_000_000)
        clone = self.slow_clone()
        server_pid = self.server.processes[0].pid
        wait_for(lambda: children(server_pid), "git at work on the server")
        self.stop_children(clone, signal.SIGKILL)
        clone.kill()
        clone.communicate()
        wait_for(lambda: not children(server_pid), "no git on the server once the client is gone")
        entry = self.proxy.wait_for_log(lambda line: line.get("git") == "upload-pack" and line["ended_by"] == "client")
        self.assertEqual(entry["phase"], "response_body")

    def test_a_drain_lets_a_clone_finish(self):
        self.start(self.server, blob_bytes=20_000_000)
        clone = self.slow_clone()
        self.proxy.signal()
        self.proxy.stderr.wait_for(lambda line: line.startswith("draining"))
        os.kill(clone.pid, signal.SIGCONT)
        output, _ = clone.communicate(timeout=60)
        self.assertEqual(clone.returncode, 0, output)
        self.git.fsck(self.git.folder / "slow")
        self.assertEqual(self.proxy.wait_exit(), 0)

    def test_a_second_signal_ends_at_once(self):
        self.start(self.server, blob_bytes=20_000_000)
        clone = self.slow_clone()
        self.stop_children(clone, signal.SIGSTOP)  # nobody reads the pack any more
        self.proxy.signal()
        self.proxy.stderr.wait_for(lambda line: line.startswith("draining"))
        self.proxy.signal()
        self.assertEqual(self.proxy.wait_exit(), 0)
        self.stop_children(clone, signal.SIGCONT)
        os.kill(clone.pid, signal.SIGCONT)
        output, _ = clone.communicate(timeout=60)
        self.assertNotEqual(clone.returncode, 0, output)


if __name__ == "__main__":
    unittest.main()
