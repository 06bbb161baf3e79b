#!/usr/bin/env python3
"""An access log that nobody takes: requests go on, lines are dropped and counted, and the proxy can be ended.

The log is a named pipe that the test holds open and does not read.
"""

import os
import select
import subprocess
import tempfile
from pathlib import Path

from support import BREAKWATER, TIMEOUT, ProxyTest, always, get, main, ok


class NobodyReads(ProxyTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="breakwater-log-")
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "access.log"
        os.mkfifo(self.path)

    def start(self):
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        server = self.server(always(ok(b"served")))
        self.breakwater = self.proxy(server, log=str(self.path))
        return reader

    def ask_until_lines_are_dropped(self):
        client = self.client(self.breakwater)
        asked = 0
        while self.breakwater.metrics()["breakwater_log_dropped_total"] == 0:
            for _ in range(200):
                self.assertEqual(client.ask(get(b"/" + b"a" * 1000)).body, b"served")
            asked += 200
            self.assertLess(asked, 20_000)
        client.close()

    def test_requests_go_on_and_dropped_lines_are_counted(self):
        reader = self.start()
        self.ask_until_lines_are_dropped()
        # Whoever reads again gets whole lines, and the proxy ends well.
        self.breakwater.signal()
        os.set_blocking(reader, True)
        with os.fdopen(os.dup(reader), "rb") as log:
            lines = log.read().splitlines(keepends=True)
        self.assertEqual(self.breakwater.wait_exit(), 0)
        self.assertGreater(len(lines), 100)
        self.assertTrue(all(line.startswith(b"{") and line.endswith(b"}\n") for line in lines))
        self.assertNotIn("takes nothing", self.breakwater.stderr.text())

    def test_a_reader_that_is_slow_gets_all_of_it_at_the_end(self):
        """Two seconds were all it had."""
        reader = self.start()
        self.ask_until_lines_are_dropped()
        self.breakwater.signal()
        got = bytearray()
        while part := os.read(reader, 16 * 1024) if select.select([reader], [], [], TIMEOUT)[0] else b"":
            got += part
            select.select([], [], [], 0.05)  # that is how slow it is: a ring of 1 MiB takes it more than three seconds
        self.assertEqual(self.breakwater.wait_exit(), 0)
        self.assertNotIn("takes nothing", self.breakwater.stderr.text())
        self.assertTrue(bytes(got).endswith(b"}\n"))
        self.assertGreater(len(got), 800_000)

    def test_the_proxy_ends_although_its_last_lines_are_not_taken(self):
        """It never ended, whatever signal it got but SIGKILL: the log's thread sat in write(2)."""
        self.start()
        self.ask_until_lines_are_dropped()
        self.breakwater.signal()
        self.assertEqual(self.breakwater.wait_exit(), 0)
        self.assertIn("the access log takes nothing", self.breakwater.stderr.text())

    def test_a_pipe_without_a_reader_is_an_error_at_the_start(self):
        """It waited for one without a word."""
        done = subprocess.run([BREAKWATER, "run", "--listen", "127.0.0.1:0", "--backend", "127.0.0.1:1", "--log", str(self.path)],
                              stderr=subprocess.PIPE, timeout=TIMEOUT, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"the access log {self.path} can't be opened: it is a socket, or a pipe that nobody reads", done.stderr)


if __name__ == "__main__":
    main()
