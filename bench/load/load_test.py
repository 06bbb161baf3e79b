#!/usr/bin/env python3
"""The load programs of bench/compare: bench_client tells a whole answer from every kind of broken one, counts what moved,
and keeps its rate; bench_origin frames its answers as asked. Over TLS, where a proxy or OpenSSL (Python's ssl) is the server, all of
that and handshakes, too.

    load_test.py BENCH_CLIENT BENCH_ORIGIN BREAKWATER

Python's standard library only, and the openssl command.
"""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "bench"), str(ROOT / "tests" / "e2e")]

from comparison import certificates, proxies  # noqa: E402

CLIENT, ORIGIN, BREAKWATER = sys.argv[1:4]
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
        self.words = ()

    def stop(self):
        self.origin.kill()
        self.origin.wait()
        self.origin.stdout.close()

    def expect_load(self, *words):
        told = load(self.address, "--connections", "2", *self.words, *words)
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


def folder_of(case):
    folder = Path(tempfile.mkdtemp(prefix="breakwater-load-"))
    case.addCleanup(shutil.rmtree, folder, ignore_errors=True)
    return folder


class ThroughTls(WithTheOrigin):
    """The same through Breakwater, which speaks TLS to clients."""

    def setUp(self):
        super().setUp()
        proxies.Breakwater.program = BREAKWATER
        certificate = certificates.make(folder_of(self), "ecdsa")
        proxy = proxies.Breakwater(self.address, [min(os.sched_getaffinity(0))], certificate)
        self.address = self.enterContext(proxy).address
        self.words = ("--tls", "--ca", certificate.file)

    def test_old_protocol_is_answered_until_the_connection_ends(self):
        self.skipTest("it is about the origin alone")

    def test_every_connection_has_its_handshake(self):
        told = self.expect_load("--path", "/small", "--churn")
        self.assertEqual(0, told["resumed"], told)
        self.assertAlmostEqual(told["requests"], told["handshakes"], delta=4)
        self.assertIn("TLSv1.3", told["tls"])

    def test_connections_that_come_back(self):
        told = self.expect_load("--path", "/small", "--churn", "--resume")
        self.assertGreater(told["handshakes"], 0, told)
        self.assertEqual(told["handshakes"], told["resumed"], told)


class AnsweringOverTls(Answering):
    """The same with TLS by OpenSSL. How a connection ends: as TLS wants it, or cut."""

    def __init__(self, answer, certificate, ending=None, newest=ssl.TLSVersion.TLSv1_3):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate.file)
        self.context.maximum_version = newest
        self.ending, self.resumed = ending, []
        super().__init__(answer, closes=ending is not None)

    def talk(self, connection):
        try:
            secure = self.context.wrap_socket(connection, server_side=True)
        except OSError:
            return
        self.resumed.append(secure.session_reused)
        super().talk(Ending(secure) if self.ending == "close_notify" else secure)


class Ending:
    """A connection that says good-bye, and does not wait for the other side's."""

    def __init__(self, secure):
        self.secure, self.recv, self.sendall = secure, secure.recv, secure.sendall

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.secure.setblocking(False)
        try:
            self.secure.unwrap()
        except OSError:
            pass  # it would have waited
        self.secure.close()


class WhatTheClientSeesOfTls(unittest.TestCase):
    def setUp(self):
        self.folder = folder_of(self)
        self.certificate = certificates.make(self.folder, "ecdsa")
        self.trust = ("--tls", "--ca", self.certificate.file)

    def expect(self, kind, answer, *words, trust=None, **options):
        """As in WhatTheClientSees."""
        server = AnsweringOverTls(answer, self.certificate, **options)
        with server as address:
            told = load(address, *(self.trust if trust is None else trust), *words)
        failed = {each for each, count in told["failures"].items() if count}
        self.assertEqual({kind} if kind else set(), failed, told)
        self.assertEqual(kind is None, told["requests"] > 0, told)
        return server, told

    def test_whole_answers(self):
        body = bytes(1_000_000)
        self.expect(None, HEAD + b"Content-Length: 1000000\r\n\r\n" + body, "--answer-bytes", "1000000")
        self.expect(None, HEAD + b"Transfer-Encoding: chunked\r\n\r\nf4240\r\n" + body + b"\r\n0\r\n\r\n",
                    "--answer-bytes", "1000000")
        self.expect(None, HEAD + b"\r\n" + body, "--answer-bytes", "1000000", ending="close_notify")

    def test_answer_that_ends_early(self):
        self.expect("ended", HEAD + b"Content-Length: 4\r\n\r\nabc", ending="close_notify")

    def test_answer_that_is_cut(self):
        self.expect("truncated", HEAD + b"Content-Length: 4\r\n\r\nabc", ending="cut")
        self.expect("truncated", HEAD + b"\r\nabc", ending="cut")

    def test_sessions(self):
        for words in ((), ("--resume",)):
            with self.subTest(words=words):
                server, told = self.expect(None, HEAD + b"Content-Length: 3\r\n\r\nabc", "--churn", *words, ending="close_notify")
                self.assertEqual(told["handshakes"] if words else 0, told["resumed"], told)
                # The first of all has nothing to come back with, and the server's word counts.
                self.assertEqual([bool(words)] * (len(server.resumed) - 1), server.resumed[1:])

    def test_old_version(self):
        old = {"newest": ssl.TLSVersion.TLSv1_2}
        answer = HEAD + b"Content-Length: 3\r\n\r\nabc"
        _, told = self.expect(None, answer, "--tls-version", "1.2", "--suite", "ECDHE-ECDSA-AES128-GCM-SHA256", **old)
        self.assertIn("TLSv1.2", told["tls"])
        self.expect("handshake", answer, **old)

    def test_server_that_is_somebody_else(self):
        answer = HEAD + b"Content-Length: 3\r\n\r\nabc"
        self.expect("handshake", answer, "--server-name", "other.example")
        (self.folder / "others").mkdir()
        others = certificates.make(self.folder / "others", "ecdsa")
        self.expect("handshake", answer, trust=("--tls", "--ca", others.file))
        self.expect(None, answer, trust=("--tls", "--insecure"))

    def test_server_without_tls(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=answer_anything, args=(listener,), daemon=True).start()
            told = load("127.0.0.1:%d" % listener.getsockname()[1], *self.trust)
        self.assertEqual(0, told["requests"], told)
        self.assertGreater(told["failures"]["handshake"], 0, told)


def answer_anything(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
