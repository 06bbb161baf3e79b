#!/usr/bin/env python3
"""The load programs of bench/compare: bench_client tells a whole answer from every kind of broken one, counts what moved,
and keeps its rate; bench_origin frames its answers as asked.

    load_test.py BENCH_CLIENT BENCH_ORIGIN

Python's standard library only.
"""

import json
import socket
import subprocess
import sys
import threading
import unittest

CLIENT, ORIGIN = sys.argv[1:3]
HEAD = b"HTTP/1.1 200 OK\r\n"


class Answering:
    """A server that answers every request with the same bytes, then goes on or closes."""

    def __init__(self, answer, closes):
        self.answer, self.closes = answer, closes
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return "127.0.0.1:%d" % self.listener.getsockname()[1]

    def __exit__(self, *_):
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        with connection:
            seen = b""
            try:
                while got := connection.recv(65536):
                    seen += got
                    if seen.endswith(b"\r\n\r\n"):
                        seen = b""
                        connection.sendall(self.answer)
                        if self.closes:
                            return
            except OSError:
                return


def load(address, *words, seconds="0.2"):
    ran = subprocess.run([CLIENT, "--connect", address, "--warm-up", "0.05", "--seconds", seconds, *words],
                         capture_output=True, text=True, check=True, timeout=60)
    return json.loads(ran.stdout)


class WhatTheClientSees(unittest.TestCase):
    def expect(self, kind, answer, *words, closes=False):
        """Failures of this kind and no other, and no request that passed; or with None, requests that passed."""
        with Answering(answer, closes) as address:
            told = load(address, *words)
        failed = {each for each, count in told["failures"].items() if count}
        self.assertEqual({kind} if kind else set(), failed, told)
        self.assertEqual(kind is None, told["requests"] > 0, told)

    def test_whole_answers(self):
        self.expect(None, HEAD + b"Content-Length: 3\r\n\r\nabc", "--answer-bytes", "3")
        self.expect(None, HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", "--answer-bytes", "3")
        self.expect(None, HEAD + b"\r\nabc", "--answer-bytes", "3", closes=True)

    def test_answer_that_ends_early(self):
        self.expect("ended", HEAD + b"Content-Length: 4\r\n\r\nabc", closes=True)
        self.expect("ended", HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", closes=True)
        self.expect("ended", b"HTTP/1.1 200", closes=True)

    def test_wrong_length(self):
        self.expect("length", HEAD + b"Content-Length: 3\r\n\r\nabc", "--answer-bytes", "4")
        self.expect("length", HEAD + b"\r\nabc", "--answer-bytes", "4", closes=True)

    def test_wrong_status(self):
        self.expect("status", b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

    def test_no_framing_that_there_is(self):
        self.expect("connection", HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n")
        self.expect("connection", HEAD + b"Content-Length: 3\r\n\r\nabcd")

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = "127.0.0.1:%d" % listener.getsockname()[1]
        self.assertGreater(load(address)["failures"]["connection"], 0)


class WithTheOrigin(unittest.TestCase):
    def setUp(self):
        self.origin = subprocess.Popen([ORIGIN], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.stop)
        self.address = self.origin.stdout.readline().split()[-1]

    def stop(self):
        self.origin.kill()
        self.origin.wait()
        self.origin.stdout.close()

    def expect_load(self, *words):
        told = load(self.address, "--connections", "2", *words)
        self.assertEqual(0, sum(told["failures"].values()), told)
        self.assertGreater(told["requests"], 0)
        return told

    def test_answers(self):
        for path, size in (("/plain/5000000", 5_000_000), ("/chunked/4000/1000001", 1_000_001), ("/chunked/65536/200000", 200_000),
                           ("/small", 1024), ("/other", 4)):
            with self.subTest(path=path):
                told = self.expect_load("--path", path, "--answer-bytes", str(size))
                # What was under way at either end counts by its part.
                self.assertAlmostEqual(told["requests"] * size, told["received_bytes"], delta=2 * size)

    def test_request_bodies(self):
        for words in ((), ("--post-chunk", "65536")):
            with self.subTest(words=words):
                told = self.expect_load("--path", "/push", "--post-bytes", "1000000", "--answer-bytes", "4", *words)
                self.assertAlmostEqual(told["requests"] * 1e6, told["sent_bytes"], delta=2e6)

    def test_connection_for_each(self):
        told = self.expect_load("--path", "/small", "--churn")
        self.assertGreaterEqual(told["connects"], told["requests"])

    def test_rate(self):
        told = self.expect_load("--path", "/small", "--rate", "500")
        self.assertAlmostEqual(100, told["requests"], delta=1)

    def test_old_protocol_is_answered_until_the_connection_ends(self):
        host, _, port = self.address.partition(":")
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"GET /chunked/4000/9000 HTTP/1.0\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertEqual(9000, len(body))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
