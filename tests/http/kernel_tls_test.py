#!/usr/bin/env python3
"""TLS whose records the kernel does. Where it can't, the test reports itself as skipped by name (exit status 77); in a
virtual machine it can (tests/vm/run)."""

import os
import platform
import socket
import ssl
import subprocess
import sys
import threading
import unittest
from pathlib import Path

import certificates
from support import BREAKWATER, GET, LOOPBACK, TIMEOUT, always, answering, main, ok, pattern, post
from tls_test import TlsTest
from upgrade_test import ASK, SWITCH

SKIPPED = 77
ROOM_OF_SOCKETS = Path("/proc/sys/net/ipv4/tcp_wmem")
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
          "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305")


def kernel_changes_keys():
    return tuple(int(number) for number in platform.release().split("-")[0].split(".")[:2]) >= (6, 14)


class KernelTls(TlsTest):
    def proxy(self, *servers, listen="tls_kernel = true", **options):
        return super().proxy(*servers, listen=listen, **options)

    def context(self, suite):
        context = ssl.create_default_context(cafile=certificates.folder() / "localhost.crt")
        if not suite.startswith("TLS_"):
            context.maximum_version = ssl.TLSVersion.TLSv1_2
            context.set_ciphers(suite)
        return context

    def s_client(self, proxy, *words):
        """OpenSSL's command, which speaks by the suite that it is told (Python can't choose one of TLS 1.3)."""
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"{LOOPBACK}:{proxy.port}", "-quiet", "-no_ign_eof", "-servername",
                                   "localhost", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(client.stdout.close)
        self.addCleanup(client.kill)
        return client

    def test_bodies_are_spliced_by_every_suite(self):
        body = pattern(3_000_000)
        for suite in SUITES:
            with self.subTest(suite=suite):
                proxy = self.proxy(self.server(answering(ok(body, b"Connection: close"))))
                words = ("-tls1_3", "-ciphersuites", suite) if suite.startswith("TLS_") else ("-tls1_2", "-cipher", suite)
                client = self.s_client(proxy, *words)
                client.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                client.stdin.flush()
                answer = client.stdout.read()
                client.stdin.close()
                self.assertTrue(answer.startswith(b"HTTP/1.1 200 OK"), answer[:100])
                self.assertTrue(answer.endswith(body))
                metrics = proxy.metrics()
                self.assertEqual(metrics["breakwater_tls_kernel_total"], 1)
                self.assertGreater(metrics["breakwater_bytes_spliced_total"], 2_000_000)

    def test_uploads_are_whole(self):
        body = pattern(3_000_000)
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                server = self.server(answering(ok(b"taken")))
                proxy = self.proxy(server)
                context = self.context("TLS_")
                context.maximum_version = version
                sock = self.wrap(proxy, context)
                sock.sendall(post(b"/team/app.git/git-receive-pack", body))
                self.assertTrue(sock.recv(4096).endswith(b"taken"))
                self.assertEqual(server.connection(0).requests[0].body, body)
                self.assertEqual(proxy.metrics()["breakwater_tls_kernel_total"], 1)

    def test_it_can_be_told_not_to(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), listen="tls_kernel = false")
        self.assertEqual(self.client(proxy).ask(GET).body, b"x")
        self.assertEqual(proxy.metrics()["breakwater_tls_kernel_total"], 0)

    def test_a_client_that_changes_its_key_goes_on_or_is_told_that_it_can_not(self):
        """Kernels before 6.14 keep the first keys."""
        proxy = self.proxy(self.server(always(ok(b"x"))))
        client = self.s_client(proxy, "-tls1_3")
        client.stdin.write(b"K\n")
        client.stdin.flush()
        if kernel_changes_keys():
            client.stdin.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            client.stdin.flush()
            self.assertTrue(client.stdout.read().startswith(b"HTTP/1.1 200 OK"))
        else:
            client.stdout.read()  # until it ends
            self.assertEqual(proxy.metrics()['breakwater_tls_failures_total{reason="internal"}'], 1)
        client.stdin.close()

    def by_hand(self, proxy, receive_buffer=None):
        """A socket, and the client's TLS behind it, whose records can be had before they are sent."""
        sock = socket.socket()
        self.addCleanup(sock.close)
        sock.settimeout(TIMEOUT)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect((LOOPBACK, proxy.port))
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self.context("TLS_").wrap_bio(incoming, outgoing, server_hostname="localhost")
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                sock.sendall(outgoing.read())
                incoming.write(sock.recv(65536))
        sock.sendall(outgoing.read())

        def record(data):
            tls.write(data)
            return outgoing.read()

        def read_all():
            """Payload until the end; an alert, or an end without a close_notify, is an error."""
            parts = []
            while True:
                try:
                    part = tls.read(1 << 20)
                    if not part:
                        return b"".join(parts)
                    parts.append(part)
                except ssl.SSLWantReadError:
                    came = sock.recv(1 << 16)
                    if came:
                        incoming.write(came)
                    else:
                        incoming.write_eof()

        return sock, record, read_all

    def test_an_altered_record_is_refused_and_its_sender_is_told(self):
        proxy = self.proxy(self.server())
        sock, record, read_all = self.by_hand(proxy)
        altered = bytearray(record(GET))
        altered[20] ^= 1
        sock.sendall(altered)
        with self.assertRaises(ssl.SSLError) as told:
            read_all()
        self.assertIn("BAD_RECORD_MAC", str(told.exception).upper())
        self.assertEqual(proxy.metrics()['breakwater_tls_failures_total{reason="bad_record"}'], 1)
        self.assertEqual(proxy.metrics()["breakwater_tls_kernel_total"], 1)

    @unittest.skipUnless("BREAKWATER_VM" in os.environ, "it changes how much room sockets have")
    def test_a_slow_reader_gets_the_last_record_and_the_end(self):
        """A kernel throws away what a full connection did not take of the last record, if it is closed too soon."""
        before = ROOM_OF_SOCKETS.read_text()
        self.addCleanup(ROOM_OF_SOCKETS.write_text, before)
        ROOM_OF_SOCKETS.write_text("4096 16384 30000")

        def script(peer):
            while True:
                peer.send(ok(pattern(int(peer.read_request().head.raw.split()[1][1:]))))

        proxy = self.proxy(self.server(script))
        for size in range(60_000, 160_000, 4_000):
            with self.subTest(size=size):
                sock, record, read_all = self.by_hand(proxy, receive_buffer=20_000)
                sock.sendall(record(b"GET /%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % size))
                self.wait_until_full(sock)
                self.assertTrue(read_all().endswith(pattern(size)))

    def wait_until_full(self, sock):
        pause = threading.Event()
        before = -1
        while True:
            there = len(sock.recv(1 << 20, socket.MSG_PEEK))
            if there == before:
                return
            before = there
            pause.wait(0.2)

    def test_an_answer_that_ends_with_the_connection_is_whole_at_a_slow_reader(self):
        body = pattern(1_000_000)

        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            peer.shutdown_write()

        proxy = self.proxy(self.server(script))
        sock, record, read_all = self.by_hand(proxy, receive_buffer=20_000)
        sock.sendall(record(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n"))
        proxy.wait_for_log(lambda line: line["status"] == 200)
        self.assertTrue(read_all().endswith(body))

    def test_a_refused_request_at_a_slow_reader_is_told_of_it(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        sock, record, read_all = self.by_hand(proxy)
        sock.sendall(record(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"))
        self.assertTrue(read_all().startswith(b"HTTP/1.1 400 "))

    def test_parts_of_records_hold_neither_buffers_nor_threads(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables="[limits]\nhead_buffers = 16\n")
        waiting = []
        for length in (1, 3, 5, 20) * 16:
            sock, record, read_all = self.by_hand(proxy)
            whole = record(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            sock.sendall(whole[:length])
            waiting.append((sock, whole[length:], read_all))
        self.assertEqual(self.client(proxy).ask(GET).body, b"x")
        names = [path.read_text().strip() for path in Path(f"/proc/{proxy.process.pid}/task").glob("*/comm")]
        self.assertEqual([name for name in names if name.startswith("iou-wrk")], [])
        for sock, rest, read_all in waiting:
            sock.sendall(rest)
            self.assertTrue(read_all().endswith(b"x"))

    def test_a_record_that_comes_byte_by_byte(self):
        proxy = self.proxy(self.server(always(ok(b"x"))))
        sock, record, read_all = self.by_hand(proxy)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in record(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"):
            sock.sendall(bytes([byte]))
        self.assertTrue(read_all().endswith(b"x"))

    def test_a_tunnel_passes_bytes_and_both_ends(self):
        def script(peer):
            peer.answer(SWITCH)
            self.assertEqual(peer.read_exact(4), b"ping")
            peer.send(pattern(500_000))
            peer.shutdown_write()

        proxy = self.proxy(self.server(script))
        sock, record, read_all = self.by_hand(proxy, receive_buffer=20_000)
        sock.sendall(record(ASK) + record(b"ping"))
        self.wait_until_full(sock)
        self.assertTrue(read_all().endswith(pattern(500_000)))


if __name__ == "__main__":
    told = subprocess.run([BREAKWATER, "--version"], capture_output=True, text=True, check=True).stdout
    if "TLS by the kernel: yes" not in told:
        print("skipped: TLS by the kernel: this one has none (tests/vm/run starts one that has)")
        sys.exit(SKIPPED)
    main()
