#!/usr/bin/env python3
"""TLS whose records the kernel does. Where it can't, the test reports itself as skipped by name (exit status 77); in a
virtual machine it can (tests/vm/run)."""

import platform
import socket
import ssl
import subprocess
import sys

import certificates
from support import BREAKWATER, GET, LOOPBACK, TIMEOUT, always, answering, main, ok, pattern, post
from tls_test import TlsTest

SKIPPED = 77
SUITES = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256",
          "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305")


def kernel_changes_keys():
    return tuple(int(number) for number in platform.release().split("-")[0].split(".")[:2]) >= (6, 14)


class KernelTls(TlsTest):
    def proxy(self, *servers, listen="tls_kernel = true"):
        return super().proxy(*servers, listen=listen)

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

    def test_an_altered_record_is_refused(self):
        proxy = self.proxy(self.server())
        with socket.create_connection((LOOPBACK, proxy.port), TIMEOUT) as sock:
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
            tls.write(GET)
            record = bytearray(outgoing.read())
            record[20] ^= 1
            sock.sendall(record)
            try:
                while sock.recv(65536):
                    pass
            except ConnectionResetError:  # the kernel has not let go of the record
                pass
        self.assertEqual(proxy.metrics()['breakwater_tls_failures_total{reason="bad_record"}'], 1)
        self.assertEqual(proxy.metrics()["breakwater_tls_kernel_total"], 1)


if __name__ == "__main__":
    told = subprocess.run([BREAKWATER, "--version"], capture_output=True, text=True, check=True).stdout
    if "TLS by the kernel: yes" not in told:
        print("skipped: TLS by the kernel: this one has none (tests/vm/run starts one that has)")
        sys.exit(SKIPPED)
    main()
