#!/usr/bin/env python3
"""Servers that die, hang, refuse, dawdle, restart or are drained while real git works: what do its users notice?

One of three real servers (Apache, nginx, breakwater-origin) fails in the middle of a steady stream of operations. The
only ones that may fail are those whose pack had begun on a server that died, and never in silence.
"""

import json
import signal
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from relay import Relay, hang, slower  # noqa: E402
from traffic import REPOSITORY, Scenario  # noqa: E402

PROBE = f"""
probe = "git /{REPOSITORY}"
probe_interval = "500ms"
probe_fast_interval = "200ms"
probe_timeout = "500ms"
"""
FIRST_PROBE_SECONDS_MAX = 3


class ServersThatGo(Scenario):
    def test_one_is_killed(self):
        self.start()
        self.play("kill -9 of one", lambda stream: self.servers[0].kill())
        self.assert_none_failed()

    def start_probed(self, tables=""):
        self.start(front=Relay, tables=PROBE + tables)
        self.assertTrue(self.relay.asked.wait(FIRST_PROBE_SECONDS_MAX), "no probe came")

    def test_one_is_stopped(self):
        self.start_probed('[timeouts]\nidle = "3s"\n')  # `idle`: for a pack that had begun there
        self.play("SIGSTOP of one, probed", lambda stream: self.servers[1].signal(signal.SIGSTOP),
                  heal=lambda: self.servers[1].signal(signal.SIGCONT))
        self.assert_none_failed()

    def test_one_refuses(self):
        self.start(front=Relay)
        self.play("one refuses connections", lambda stream: self.relay.refuse())
        self.assert_nothing_noticed()

    def test_one_accepts_and_hangs(self):
        self.start_probed()
        self.play("one accepts and hangs, probed", lambda stream: self.relay.misbehave(hang), heal=self.relay.end)
        self.assert_nothing_noticed()

    def test_one_is_twenty_times_slower(self):
        self.start(front=Relay)
        self.play("one is 20 times slower", lambda stream: self.relay.misbehave(slower(20)), enough=lambda: self.relay.harmed)
        self.assert_nothing_noticed()
        self.assertGreater(len(self.relay.harmed), 0)


class Restarts(Scenario):
    def test_one_after_the_other(self):
        def restart(stream):
            for number, server in enumerate(self.servers):
                server.stop()
                server.start_again()
                stream.wait_for(self.before + 20 * (number + 1))

        self.start()
        self.play("all restarted one after the other", restart)
        self.assert_none_failed()

    def test_all_at_once(self):
        def restart(stream):
            for server in self.servers:
                server.kill()
            for server in self.servers:
                server.start_again()
            self.back_after = stream.begun

        self.start()
        self.play("all restarted at once", restart)
        # While none was there, nobody could have helped.
        self.failed = [operation for operation in self.failed if operation.number >= self.back_after]
        self.assert_none_failed()


class Drains(Scenario):
    def set_state(self, server, state):
        request = urllib.request.Request(f"http://127.0.0.1:{self.proxy.admin_port}/servers/test/{server.address}", method="POST",
                                         data=json.dumps({"state": state}).encode())
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def test_one_is_drained(self):
        def drain(stream):
            self.assertIn(self.set_state(drained, "drain"), (200, 204))
            self.drained_before = stream.begun

        self.start()
        drained = self.servers[0]
        if self.set_state(drained, "ready") in (404, 405, 501):
            self.skipTest("the admin listener has no verb `drain`")
        self.play("drain of one", drain)
        self.assert_nothing_noticed()
        self.assertEqual([], [str(operation) for operation in self.done if operation.number >= self.drained_before
                              and any(entry["server"] == drained.address for entry in operation.entries)])


if __name__ == "__main__":
    unittest.main()
