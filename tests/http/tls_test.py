#!/usr/bin/env python3
"""Clients over TLS: what is agreed on, what is refused and what is said of it, and that bytes arrive as they were sent."""

import fcntl
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import termios
import threading
import unittest
from pathlib import Path

import certificates
from support import (GET, LOOPBACK, TIMEOUT, Peer, ProxyTest, RawClient, ScriptedServer, always, answering, main, ok, pattern, post)

MAKE_CERTIFICATES = Path(__file__).resolve().parent.parent / "unit" / "tls" / "make_certificates.sh"


def versions(lowest, highest):
    context = ssl.create_default_context(cafile=certificates.folder() / "localhost.crt")
    context.minimum_version, context.maximum_version = lowest, highest
    return context


def hello(context=None):
    """The bytes of a client's hello."""
    context = context or certificates.trusting()
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def unread(pipe):
    """Bytes in it that nobody has read."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0]


class TlsTest(ProxyTest):
    def proxy(self, *servers, tls=None, **options):
        return super().proxy(*servers, tls=True if tls is None else tls, **options)

    def folder(self):
        made = tempfile.mkdtemp(prefix="breakwater-tls-")
        self.addCleanup(shutil.rmtree, made, ignore_errors=True)
        return Path(made)

    def raw(self, proxy):
        """A client that speaks no TLS by itself."""
        return self.client(proxy, tls=False)

    def wrap(self, proxy, context, name="localhost", session=None):
        sock = socket.create_connection((LOOPBACK, proxy.port), TIMEOUT)
        self.addCleanup(sock.close)
        wrapped = context.wrap_socket(sock, server_hostname=name, session=session, suppress_ragged_eofs=False)
        self.addCleanup(wrapped.close)
        return wrapped

    def failures(self, proxy, reason):
        return proxy.metrics()[f'breakwater_tls_failures_total{{reason="{reason}"}}']

    def assert_refused(self, proxy, reason):
        entry = proxy.wait_for_log(lambda line: line["phase"] == "tls_handshake")
        self.assertRegex(entry["reason"], rf"^client {reason}: ")
        self.assertEqual(entry["ended_by"], "client")
        self.assertEqual(self.failures(proxy, reason), 1)
        return entry


class Requests(TlsTest):
    def test_a_request_and_what_the_server_and_the_log_hear_of_tls(self):
        server = self.server(answering(ok(b"hello"), ok(b"again")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        self.assertEqual(client.ask(GET).body, b"hello")
        self.assertEqual(client.ask(GET).body, b"again")
        self.assertEqual(server.connection(0).requests[0].head.value("x-forwarded-proto"), b"https")
        entry = proxy.wait_for_log(lambda line: line["status"] == 200)
        self.assertEqual((entry["tls"], entry["tls_suite"], entry["tls_name"], entry["tls_resumed"]),
                         ("TLSv1.3", "TLS_AES_128_GCM_SHA256", "localhost", False))
        self.assertEqual(proxy.metrics()["breakwater_tls_handshakes_total"], 1)

    def test_tls_1_2(self):
        proxy = self.proxy(self.server(answering(ok(b"hello"))))
        sock = self.wrap(proxy, versions(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
        sock.sendall(GET)
        self.assertIn(b"hello", sock.recv(4096))
        self.assertEqual(proxy.wait_for_log(lambda line: line["status"] == 200)["tls"], "TLSv1.2")

    def test_bodies_of_every_size_both_ways_and_in_both_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            for size in (0, 1, 1299, 1300, 16383, 16384, 16385, 40_000, 131_072, 5_000_000):
                with self.subTest(version=version, size=size):
                    body, answer = pattern(size), pattern(size)[::-1]

                    def script(peer):
                        self.assertEqual(peer.read_request().body, body)
                        peer.send(ok(answer))

                    server = self.server(script)
                    proxy = self.proxy(server)
                    client = self.client(proxy, tls=versions(version, version))
                    client.send(post(b"/team/app.git/git-receive-pack", body))
                    self.assertEqual(client.recv_response().body, answer)
                    client.close()
                    proxy.stop()

    def test_an_answer_until_the_connection_ends_is_ended_by_a_close_notify(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + pattern(300_000))
            peer.shutdown_write()

        proxy = self.proxy(self.server(script))
        client = self.client(proxy)
        client.send(b"GET / HTTP/1.0\r\nHost: git.example\r\n\r\n")
        head = client.read_head()
        self.assertEqual(head.status, 200)
        self.assertEqual(client.read_until_end(), pattern(300_000))
        self.assertEqual(client.ended, "fin")  # support.py takes an end without a close_notify for a reset

    def test_an_answer_that_breaks_is_not_ended_by_a_close_notify(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500000\r\n\r\n" + pattern(200_000))
            peer.reset()

        proxy = self.proxy(self.server(script))
        client = self.client(proxy)
        client.send(GET)
        client.recv_aborted()
        self.assertEqual(client.ended, "reset")

    def test_a_slow_reader_gets_everything(self):
        proxy = self.proxy(self.server(answering(ok(pattern(3_000_000)))))
        client = self.client(proxy, receive_buffer=4096)
        client.send(GET)
        head = client.read_head()
        got = bytearray(client.take(len(client.buffer)))
        while len(got) < 3_000_000:
            got += client.sock.recv(997)
        self.assertEqual(bytes(got), pattern(3_000_000))
        self.assertEqual(head.status, 200)


class Resumption(TlsTest):
    def test_a_ticket_of_one_core_is_good_on_every_other(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), cores=2, tables="")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            context = versions(version, version)
            session, resumed = None, 0
            for _ in range(20):  # the kernel spreads them over both cores
                sock = self.wrap(proxy, context, session=session)
                sock.sendall(GET)
                self.assertIn(b"200 OK", sock.recv(4096))
                resumed += sock.session_reused
                session = sock.session
                sock.close()
            self.assertEqual(resumed, 19, version)
        self.assertEqual(proxy.metrics()["breakwater_tls_resumed_total"], 38)

    def test_two_nodes_with_one_file_of_keys(self):
        keys = self.folder() / "tickets"
        keys.write_bytes(subprocess.run(["openssl", "rand", "-base64", "48"], capture_output=True, check=True).stdout)
        server = self.server(always(ok(b"x")))
        session = None
        for expected in (False, True):
            proxy = self.proxy(server, listen=f'tls_ticket_keys = "{keys}"')
            sock = self.wrap(proxy, certificates.trusting(), session=session)
            sock.sendall(GET)
            self.assertIn(b"200 OK", sock.recv(4096))
            self.assertEqual(sock.session_reused, expected)
            session = sock.session


class Names(TlsTest):
    def test_each_name_has_its_certificate(self):
        folder = self.folder()
        certificates.make(folder, "a", names="DNS:a.example,DNS:*.a.example")
        certificates.make(folder, "b", names="DNS:b.example", key="rsa")
        proxy = self.proxy(self.server(), listen=f'tls = "{folder}"')
        context = ssl.create_default_context()
        for name in ("a", "b"):
            context.load_verify_locations(folder / f"{name}.crt")
        for name, served in (("a.example", "a"), ("x.a.example", "a"), ("b.example", "b")):
            with self.subTest(name=name):
                sock = self.wrap(proxy, context, name)
                expected = ssl.PEM_cert_to_DER_cert((folder / f"{served}.crt").read_text())
                self.assertEqual(sock.getpeercert(True), expected)


class Refused(TlsTest):
    def test_plain_http_is_told_so_in_the_clear(self):
        proxy = self.proxy(self.server())
        client = self.raw(proxy)
        reply = client.ask(GET)
        self.assertEqual(reply.status, 400)
        self.assertIn(b"HTTPS", reply.body)
        self.assertEqual(client.read_until_end(), b"")
        self.assert_refused(proxy, "plain_http")

    def test_an_old_protocol(self):
        proxy = self.proxy(self.server())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
        with self.assertRaises(ssl.SSLError) as caught:
            self.wrap(proxy, context)
        self.assertIn("PROTOCOL_VERSION", str(caught.exception))
        self.assert_refused(proxy, "old_protocol")

    def test_tls_1_2_where_1_3_is_the_least(self):
        proxy = self.proxy(self.server(), listen='tls_minimum = "1.3"')
        with self.assertRaises(ssl.SSLError):
            self.wrap(proxy, versions(ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2))
        self.assert_refused(proxy, "old_protocol")

    def test_no_http_1_1(self):
        proxy = self.proxy(self.server())
        context = ssl.create_default_context(cafile=certificates.folder() / "localhost.crt")
        context.set_alpn_protocols(["h2"])
        with self.assertRaises(ssl.SSLError):
            self.wrap(proxy, context)
        self.assert_refused(proxy, "no_application")

    def test_garbage(self):
        proxy = self.proxy(self.server())
        client = self.raw(proxy)
        client.send(b"\x00\x01\x02garbage")
        self.assertTrue(client.read_until_end().startswith(b"\x15\x03\x03"))  # an alert
        self.assert_refused(proxy, "not_tls")

    def test_a_hello_that_is_too_large(self):
        proxy = self.proxy(self.server())
        client = self.raw(proxy)
        client.send(b"\x16\x03\x01\x40\x00\x01\x00\x50\x00" + bytes(16380))
        client.read_until_end()
        self.assert_refused(proxy, "hello_too_large")

    def test_a_client_that_distrusts_us_is_named(self):
        proxy = self.proxy(self.server())
        with self.assertRaises(ssl.SSLError):
            self.wrap(proxy, ssl.create_default_context())
        entry = self.assert_refused(proxy, "alert")
        self.assertIn("unknown_ca", entry["reason"])

    def test_who_looks_whether_the_port_is_open_is_not_worth_a_line(self):
        proxy = self.proxy(self.server(answering(ok(b"x"))))
        self.raw(proxy).close()
        self.assertEqual(self.client(proxy).ask(GET).status, 200)
        proxy.stop()
        self.assertEqual([line["phase"] for line in proxy.log_lines()], ["done"])


class Truncation(TlsTest):
    def test_a_body_that_ends_without_a_close_notify_never_becomes_whole(self):
        server = self.server(Peer.read_request)
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(b"POST /team/app.git/git-receive-pack HTTP/1.1\r\nHost: git.example\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        server.connection(0).wait_received(b"hello")
        client.sock.unwrap = None
        os_socket = socket.socket(fileno=client.sock.detach())
        os_socket.shutdown(socket.SHUT_RDWR)
        os_socket.close()
        entry = proxy.wait_for_log(lambda line: line["path"].endswith("receive-pack"))
        self.assertEqual(entry["ended_by"], "client")
        self.assert_never_completed(proxy, server)


class Handshakes(TlsTest):
    def test_a_hello_byte_by_byte_is_whole_in_the_end(self):
        proxy = self.proxy(self.server())
        client = self.raw(proxy)
        for byte in hello():
            client.send(bytes([byte]))
        self.assertTrue(client.read_exact(3).startswith(b"\x16\x03\x03"))  # the server's hello

    def test_one_that_is_not_finished_is_cut_by_its_own_deadline(self):
        proxy = self.proxy(self.server(), tables='[timeouts]\ntls_handshake = "200ms"\n')
        client = self.raw(proxy)
        client.send(hello()[:100])
        client.read_until_end()
        entry = proxy.wait_for_log(lambda line: line["phase"] == "tls_handshake")
        self.assertEqual((entry["timeout"], entry["ended_by"]), ("tls_handshake", "proxy"))

    def test_one_that_waits_for_its_turn_is_cut_by_the_same(self):
        proxy = self.proxy(self.server(), tables='[timeouts]\ntls_handshake = "200ms"\n[limits]\ntls_handshakes = 1\n')
        first, second = self.raw(proxy), self.raw(proxy)
        first.send(hello()[:100])
        second.send(hello())
        first.read_until_end()
        second.read_until_end()

    def test_thousands_that_stand_still_leave_transfers_and_later_clients_alone(self):
        server = self.server(always(ok(pattern(2_000_000))))
        proxy = self.proxy(server)
        busy = self.client(proxy)
        halves = []
        half = hello()[:200]
        try:
            for index in range(5000):
                sock = socket.create_connection((LOOPBACK, proxy.port), TIMEOUT)
                halves.append(sock)
                sock.sendall(half)
                if index % 1000 == 999:
                    self.assertEqual(busy.ask(GET).body, pattern(2_000_000))
            while halves:  # once they go, whoever waited has its turn
                halves.pop().close()
            self.assertEqual(self.client(proxy).ask(GET).status, 200)
        finally:
            for sock in halves:
                sock.close()

    def test_key_updates_without_end_are_a_storm(self):
        """Of records of ours: kernels that can't change keys turn such a client out at once."""
        proxy = self.proxy(self.server(), listen="tls_kernel = false")
        client = subprocess.Popen(["openssl", "s_client", "-connect", f"{LOOPBACK}:{proxy.port}", "-servername", "localhost",
                                   "-CAfile", certificates.folder() / "localhost.crt"],
                                  stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, bufsize=0)
        self.addCleanup(client.stdin.close)
        self.addCleanup(client.kill)
        try:
            for _ in range(200):
                client.stdin.write(b"K\n")
                while unread(client.stdin) and client.poll() is None:  # s_client takes one command a read
                    pass
        except BrokenPipeError:
            pass
        client.wait(TIMEOUT)
        self.assertEqual(self.failures(proxy, "storm"), 1)


class ClientCertificates(TlsTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([MAKE_CERTIFICATES, cls.made], check=True)

    def strict(self, mode):
        return (f'tls_client = "{mode}"\ntls_client_ca = "{self.made}/ca.pem"\n'
                f'tls_client_crl = "{self.made}/crl.pem"')

    def context(self, name=None):
        context = ssl.create_default_context(cafile=certificates.folder() / "localhost.crt")
        if name:
            context.load_cert_chain(self.made / f"{name}.crt", self.made / f"{name}.key")
        return context

    def ask(self, proxy, name=None):
        """By TLS 1.3 the client hears of its certificate with its first answer."""
        sock = self.wrap(proxy, self.context(name))
        sock.sendall(GET)
        return sock.recv(4096)

    def test_a_good_one_is_named_in_the_log(self):
        proxy = self.proxy(self.server(answering(ok(b"x"))), listen=self.strict("required"))
        self.assertIn(b"200 OK", self.ask(proxy, "runner"))
        entry = proxy.wait_for_log(lambda line: line["status"] == 200)
        self.assertIn("CN=runner 7", entry["tls_client"])

    def test_a_server_is_told_whose_it_is_if_that_is_wanted_and_never_what_a_client_says(self):
        forged = b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Client-Cert: Subject=root\r\nX_Forwarded_Client_Cert: root\r\n\r\n"
        for name, more, expected in (("runner", "tls_client_header = true", 1), ("runner", "", 0), (None, "tls_client_header = true", 0)):
            with self.subTest(name=name, more=more):
                server = self.server(answering(ok(b"x")))
                proxy = self.proxy(server, listen=self.strict("optional") + "\n" + more)
                sock = self.wrap(proxy, self.context(name))
                sock.sendall(forged)
                self.assertIn(b"200 OK", sock.recv(4096))
                head = server.connection(0).requests[0].head
                told = head.values("x-forwarded-client-cert")
                self.assertEqual((len(told), head.values("x_forwarded_client_cert")), (expected, []))
                if expected:
                    self.assertRegex(told[0], rb'^Subject="[^"]*CN=runner 7";Serial="[0-9A-Fa-f]+";URI="spiffe://ci/runner/7";')

    def test_none_is_welcome_where_it_is_optional(self):
        proxy = self.proxy(self.server(answering(ok(b"x"))), listen=self.strict("optional"))
        self.assertIn(b"200 OK", self.ask(proxy))
        self.assertNotIn("tls_client", proxy.wait_for_log(lambda line: line["status"] == 200))

    def test_bad_ones_are_refused_by_their_reason(self):
        for name, reason in ((None, "no_certificate"), ("strange-runner", "unknown_ca"), ("revoked", "revoked")):
            with self.subTest(name=name):
                proxy = self.proxy(self.server(), listen=self.strict("required"))
                with self.assertRaises((ssl.SSLError, ConnectionError)):
                    self.ask(proxy, name)
                self.assert_refused(proxy, reason)


class Staples(TlsTest):
    def test_who_asks_gets_the_staple_and_who_does_not_gets_none(self):
        made, served = self.folder(), self.folder()
        subprocess.run([MAKE_CERTIFICATES, made], check=True)
        (served / "staple.crt").write_text((made / "staple.crt").read_text() + (made / "ca.pem").read_text())
        shutil.copy(made / "staple.key", served / "staple.key")
        proxy = self.proxy(self.server(), listen=f'tls = "{served}"')

        def hears(*words):
            ran = subprocess.run(["openssl", "s_client", "-connect", f"{LOOPBACK}:{proxy.port}", "-servername", "staple.example.com",
                                  "-verify_return_error", "-CAfile", made / "ca.pem", *words],
                                 stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, timeout=TIMEOUT)
            return ran.stdout

        for version in ("-tls1_2", "-tls1_3"):
            self.assertIn("OCSP response: no response sent", hears(version, "-status"))
        shutil.copy(made / "good.ocsp", served / "staple.ocsp")
        self.assertTrue(proxy.stderr.wait_for(lambda line: "read again" in line), proxy.stderr.text())
        for version in ("-tls1_2", "-tls1_3"):
            with self.subTest(version=version):
                told = hears(version, "-status")
                self.assertIn("OCSP Response Status: successful", told)
                self.assertIn("Cert Status: good", told)
                self.assertNotIn("OCSP Response", hears(version))


class Rotation(TlsTest):
    def setUp(self):
        super().setUp()
        self.made = self.folder()
        certificates.make(self.made, "one", key="ec")
        self.front = self.proxy(self.server(always(ok(b"x"))), listen=f'tls = "{self.made}"', tables="")

    def served(self):
        return self.wrap(self.front, self.trusting_nobody()).getpeercert(True)

    def expected(self, name):
        return ssl.PEM_cert_to_DER_cert((self.made / f"{name}.crt").read_text())

    def said(self, what):
        self.assertTrue(self.front.stderr.wait_for(lambda line: what in line), self.front.stderr.text())

    def test_files_that_change_are_read_again_by_themselves(self):
        self.assertEqual(self.served(), self.expected("one"))
        elsewhere = self.folder()
        certificates.make(elsewhere, "one")
        for name in ("one.key", "one.crt"):  # as a tool that writes beside and renames does
            shutil.copy(elsewhere / name, self.made / f".{name}")
            (self.made / f".{name}").rename(self.made / name)
        self.said("read again")
        self.assertEqual(self.served(), self.expected("one"))

    def test_a_half_of_a_pair_changes_nothing_until_the_other_is_there(self):
        before = self.served()
        elsewhere = self.folder()
        certificates.make(elsewhere, "one")
        shutil.copy(elsewhere / "one.crt", self.made / "one.crt")
        self.said("stay what they were")
        self.assertEqual(self.served(), before)
        metrics = self.front.metrics()
        self.assertEqual(metrics['breakwater_tls_certificate_read_failures_total{table="listen.test"}'], 1)
        shutil.copy(elsewhere / "one.key", self.made / "one.key")
        self.said("read again")
        self.assertEqual(self.served(), self.expected("one"))

    def test_sighup_reads_them_again_and_no_connection_notices(self):
        open_before = self.wrap(self.front, self.trusting_nobody())
        open_before.sendall(GET)
        self.assertIn(b"200 OK", open_before.recv(4096))
        self.front.signal(signal.SIGHUP)
        self.said("read again")
        open_before.sendall(GET)
        self.assertIn(b"200 OK", open_before.recv(4096))

    def lead(self, link, to):
        """As Kubernetes changes what a mounted secret shows."""
        (self.made.parent / "..new").symlink_to(to)
        (self.made.parent / "..new").rename(link)

    def test_files_behind_links_that_lead_elsewhere_now_are_read_again(self):
        root = self.folder()
        self.made = root / "..data"
        for version in ("v1", "v2"):
            (root / version).mkdir()
            certificates.make(root / version, "one")
            certificates.make(root / version, "ca")
        self.made.symlink_to("v1")
        (root / "mounted").mkdir()
        for name in ("one.crt", "one.key"):
            (root / "mounted" / name).symlink_to(self.made / name)
        (root / "ca.crt").symlink_to(self.made / "ca.crt")
        server = SecureServer(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        self.front = self.proxy(self.keep(server), listen=f'tls = "{root}/mounted/"',
                                tables=f'tls = true\ntls_ca = "{root}/./ca.crt"')
        self.lead(self.made, "v2")
        self.said("[listen.test]: its certificates were read again")
        self.said("[pool.test]: its certificates were read again")
        self.assertEqual(self.served(), self.expected("one"))

    def trusting_nobody(self):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def test_a_ticket_outlives_a_rotation(self):
        first = self.wrap(self.front, self.trusting_nobody())
        first.sendall(GET)
        first.recv(4096)
        self.front.signal(signal.SIGHUP)
        self.said("read again")
        context = first.context
        sock = socket.create_connection((LOOPBACK, self.front.port), TIMEOUT)
        again = context.wrap_socket(sock, server_hostname="localhost", session=first.session)
        self.addCleanup(again.close)
        self.assertTrue(again.session_reused)

    def test_metrics_tell_when_each_certificate_expires(self):
        crt = self.made / "one.crt"
        end = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", crt], capture_output=True, text=True, check=True)
        at = self.front.metrics()[f'breakwater_tls_certificate_expiry_seconds{{table="listen.test",file="{crt}"}}']
        self.assertEqual(at, ssl.cert_time_to_seconds(end.stdout.strip().removeprefix("notAfter=")))

    def test_a_rotation_under_load_loses_no_request(self):
        answers = []

        def ask(count):
            for _ in range(count):
                sock = socket.create_connection((LOOPBACK, self.front.port), TIMEOUT)
                with self.trusting_nobody().wrap_socket(sock) as client:
                    client.sendall(GET)
                    answers.append(client.recv(4096)[:15])

        threads = [threading.Thread(target=ask, args=(60,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            self.front.signal(signal.SIGHUP)
            threads[0].join(0.1)
        for thread in threads:
            thread.join()
        self.assertEqual(answers, [b"HTTP/1.1 200 OK"] * 240)


class Redirection(TlsTest):
    def leads(self, to):
        proxy = self.proxy(self.server(), tls=False, listen=f'redirect = "{to}"')
        return lambda request: self.client(proxy).ask(request, request.split(b" ")[0].decode())

    def test_what_is_safe_is_sent_to_https(self):
        info = b"/team/app.git/info/refs?service=git-upload-pack"
        for to, start in (("https", b"https://git.example"), ("https://git.example.com:8443", b"https://git.example.com:8443")):
            ask = self.leads(to)
            for method, path in ((b"GET", info), (b"GET", b"/team/app?tab=1"), (b"HEAD", b"/")):
                with self.subTest(to=to, path=path):
                    reply = ask(method + b" " + path + b" HTTP/1.1\r\nHost: git.example:8080\r\n\r\n")
                    self.assertEqual((reply.status, reply.head.value("location")), (301, start + path))
                    self.assertEqual(reply.head.value("connection"), b"close")

    def test_nothing_else_is(self):
        ask = self.leads("https")
        for request in (post(b"/team/app.git/git-upload-pack", b"0000"), post(b"/team/app.git/git-receive-pack", b"0000"),
                        post(b"/login", b"password=x"), b"GET /team/app.git/objects/info/packs HTTP/1.1\r\nHost: x\r\n\r\n",
                        b"GET / HTTP/1.0\r\n\r\n"):
            with self.subTest(request):
                reply = ask(request)
                self.assertEqual((reply.status, reply.head.values("location")), (403, []))

    def test_git_follows_and_speaks_tls_from_then_on(self):
        secure = self.proxy(self.server(always(ok(b"x"))))
        ask = self.leads(f"https://localhost:{secure.port}")
        git = subprocess.run(["git", "ls-remote", f"http://{LOOPBACK}:{self.proxies[-1].port}/team/app.git"], text=True,
                             env=os.environ | {"GIT_SSL_CAINFO": str(certificates.folder() / "localhost.crt")},
                             capture_output=True, timeout=TIMEOUT, check=False)
        self.assertTrue(ask)
        self.assertIn("redirecting to https://localhost", git.stderr)
        entry = secure.wait_for_log(lambda line: line.get("git") == "info/refs" or "info/refs" in line["path"])
        self.assertEqual(entry["tls"], "TLSv1.3")


class SecureServer(ScriptedServer):
    def __init__(self, context, *scripts):
        self.context = context
        super().__init__(*scripts)

    def secure(self, sock):
        return self.context.wrap_socket(sock, server_side=True, suppress_ragged_eofs=False)


class Servers(TlsTest):
    """Towards a server that speaks TLS: Python's, behind which a scripted one stands."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.made = Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        subprocess.run([MAKE_CERTIFICATES, cls.made], check=True)

    def tls_server(self, *scripts, name="git-ecdsa", asks=False, highest=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.maximum_version = highest
        context.load_cert_chain(self.made / f"{name}.crt", self.made / f"{name}.key")
        if asks:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.made / "ca.pem")
        return self.keep(SecureServer(context, *(scripts or [Peer.read_until_end])))

    def to(self, *servers, more="", tables="", **options):
        return self.proxy(*servers, tls=False, tables=f'tls = true\ntls_ca = "{self.made}/ca.pem"\n{more}\n{tables}', **options)

    def test_a_request_and_its_answer_in_both_versions(self):
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            with self.subTest(version=version):
                body, answer = pattern(3_000_000), pattern(5_000_000)
                server = self.tls_server(answering(ok(answer), ok(b"again")), highest=version)
                client = self.client(self.to(server))
                client.send(post(b"/team/app.git/git-receive-pack", body))
                self.assertEqual(client.recv_response().body, answer)
                self.assertEqual(client.ask(GET).body, b"again")  # on the same connection
                self.assertEqual(server.connection(0).requests[0].body, body)

    def test_over_tls_on_both_sides(self):
        answer = pattern(5_000_000)
        proxy = self.proxy(self.tls_server(answering(ok(answer))), tls=True,
                           tables=f'tls = true\ntls_ca = "{self.made}/ca.pem"\n')
        self.assertEqual(self.client(proxy).ask(GET).body, answer)

    def refused(self, reason, *servers, **options):
        proxy = self.to(*servers, **options)
        reply = self.client(proxy).ask(GET)
        self.assertEqual(reply.status, 502)
        entry = proxy.wait_for_log(lambda line: line["status"] == 502)
        self.assertRegex(entry["reason"], rf"^server refused: TLS: .*{reason}")
        self.assertEqual(proxy.metrics()["breakwater_server_tls_failures_total"], 1)

    def test_who_is_not_to_be_trusted_hears_nothing_of_the_request(self):
        for name, reason in (("stranger", "authority"), ("expired", "expired"), ("future", "not valid yet"), ("p384", "name")):
            with self.subTest(name=name):
                server = self.tls_server(name=name)
                self.refused(reason, server, more='tls_name = "git.example.com"')
                self.assertEqual(server.requests, [])

    def test_nor_does_a_server_that_speaks_no_tls(self):
        server = self.server(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
        self.refused("", server)
        self.assertEqual(server.requests, [])

    def test_unverified_if_that_is_wanted(self):
        server = self.tls_server(answering(ok(b"x")), name="stranger")
        proxy = self.proxy(server, tls=False, tables="tls = true\ntls_verify = false\n")
        self.assertEqual(self.client(proxy).ask(GET).status, 200)

    def test_our_own_certificate_where_a_server_asks(self):
        pem = self.made / "edge.pem"
        pem.write_text((self.made / "runner.crt").read_text() + (self.made / "runner.key").read_text())
        server = self.tls_server(answering(ok(b"x")), asks=True)
        proxy = self.to(server, more=f'tls_certificate = "{pem}"')
        self.assertEqual(self.client(proxy).ask(GET).status, 200)

    def test_the_next_server_takes_over_from_one_that_is_not_trusted(self):
        bad, good = self.tls_server(name="stranger"), self.tls_server(always(ok(b"x")))
        proxy = self.to(bad, good, more='tls_name = "git.example.com"')
        for _ in range(4):
            self.assertEqual(self.client(proxy).ask(GET).status, 200)
        self.assertEqual(bad.requests, [])

    def test_probes_speak_it_too(self):
        def script(peer):
            peer.read_request()
            peer.try_send(ok(b"x"))  # a probe leaves as soon as it knows

        server = self.tls_server(script)
        proxy = self.to(server, more='probe = "http /health"\nprobe_interval = "100ms"\nprobe_fast_interval = "100ms"')
        while proxy.metrics()["breakwater_probes_sent_total"] < 4:
            pass
        self.assertEqual(proxy.metrics()["breakwater_probes_failed_total"], 0)

    def test_a_probe_that_finds_a_stranger_says_so(self):
        server = self.tls_server(name="stranger")
        proxy = self.to(server, more='probe = "tcp"\nprobe_interval = "100ms"\nprobe_fast_interval = "100ms"\nprobe_fall = 1')
        while b'"down"' not in (page := proxy.admin("/servers", host=b"localhost").body):
            pass
        self.assertIn(b"TLS failed: ", page)

    def test_an_answer_until_the_end_that_has_no_close_notify_is_not_whole(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\n\r\n" + pattern(100_000))
            raw = socket.socket(fileno=peer.sock.detach())
            raw.shutdown(socket.SHUT_RDWR)
            raw.close()

        client = self.client(self.to(self.tls_server(script)))
        client.send(GET)
        client.recv_aborted()


class StartUp(unittest.TestCase):
    def test_what_is_wrong_with_certificates_is_told_file_by_file(self):
        from support import BREAKWATER
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            certificates.make(folder, "good")
            certificates.make(folder, "other")
            (folder / "other.key").unlink()
            (folder / "half.pem").write_text((folder / "good.crt").read_text()[:300])
            (folder / "breakwater.toml").write_text(
                f'[listen.git]\nbind = "{LOOPBACK}:0"\ntls = "{folder}"\n[pool.git]\nservers = ["{LOOPBACK}:9"]\n')
            result = subprocess.run([BREAKWATER, "run", "-f", folder / "breakwater.toml"], capture_output=True, text=True,
                                    timeout=TIMEOUT, check=False)
            self.assertEqual(result.returncode, 1)
            for name in ("other.crt", "half.pem"):
                self.assertRegex(result.stderr, rf"(?m)^  .*/{re.escape(name)}: ")


if __name__ == "__main__":
    main()
