#!/usr/bin/env python3
"""What once went wrong with TLS, a test each, named after it."""

import shutil
import socket
import ssl
import subprocess
import threading
import unittest

import certificates
from support import GET, LOOPBACK, TIMEOUT, Peer, ScriptedServer, always, answering, get, main, ok, pattern, post
from tls_test import MAKE_CERTIFICATES, SecureServer, TlsTest, hello


class Puppet:
    """TLS of a server whose records the test sends as it likes."""

    def __init__(self, context, sock):
        self.sock = sock
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def feed(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionResetError
        self.incoming.write(data)

    def handshake(self):
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self.sock.sendall(self.outgoing.read())
                self.feed()
        self.sock.sendall(self.outgoing.read())

    def read_head(self):
        data = b""
        while not data.endswith(b"\r\n\r\n"):
            try:
                data += self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.feed()
        return data

    def seal(self, data):
        self.tls.write(data)
        return self.outgoing.read()


class Regressions(TlsTest):
    def setUp(self):
        super().setUp()
        self.made = self.folder()
        subprocess.run([MAKE_CERTIFICATES, self.made], check=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.made / "git-ecdsa.crt", self.made / "git-ecdsa.key")

    def secure_server(self, *scripts, context=None):
        return self.keep(SecureServer(context or self.context, *scripts))

    def to(self, *servers, more="", tables="", tls=False):
        return self.proxy(*servers, tls=tls, tables=f'tls = true\ntls_ca = "{self.made}/ca.pem"\n{more}\n{tables}')

    def a_turn_of(self, proxy):
        """The core has gone round its loop since."""
        self.assertEqual(self.client(proxy, tls=proxy.tls).ask(b"GET / HTTP/9\r\n\r\n").status, 400)

    def test_handshakes_with_servers_and_probes_need_no_buffer_that_answers_hold(self):
        """16 running downloads held all of them, and the server looked as if it could not be reached."""
        def script(peer):
            peer.read_request()
            peer.try_send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegun")

        server = self.secure_server(script)
        proxy = self.to(server, more='probe = "tcp"\nprobe_interval = "100ms"\nprobe_fall = 1\nconnect = "300ms"',
                        tables="[limits]\nhead_buffers = 64\n")
        clients = [self.client(proxy) for _ in range(16)]
        for client in clients:
            client.send(GET)
            client.read_until_seen(b"begun")
        late = self.client(proxy)
        late.send(get(b"/late"))
        while not any(request.head.start_line.startswith(b"GET /late") for request in server.requests):
            self.assertEqual([line for line in proxy.log_lines() if line["path"] == "/late"], [])
        sent = proxy.metrics()["breakwater_probes_sent_total"]
        while proxy.metrics()["breakwater_probes_sent_total"] < sent + 3:
            pass
        self.assertEqual(proxy.metrics()["breakwater_probes_failed_total"], 0)
        for client in [*clients, late]:
            client.reset()  # an orderly end would leave them waiting for their answers

    def test_heads_in_two_pieces_need_no_second_buffer(self):
        """Each held the only buffer that another could have gone on with."""
        half = threading.Barrier(16)

        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nConte")
            half.wait(TIMEOUT)
            peer.send(b"nt-Length: 1\r\n\r\nx")

        proxy = self.to(self.secure_server(script), tables="[limits]\nhead_buffers = 64\n")
        clients = [self.client(proxy) for _ in range(16)]
        for client in clients:
            client.send(GET)
        for client in clients:
            self.assertEqual(client.recv_response().body, b"x")

    def test_requests_in_two_pieces_need_no_second_buffer(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables="[limits]\nhead_buffers = 16\n")
        clients = [self.client(proxy) for _ in range(16)]
        for client in clients:
            client.send(GET[:20])
        for client in clients:
            client.send(GET[20:])
        for client in clients:
            self.assertEqual(client.recv_response().body, b"x")

    def test_who_sends_much_in_the_clear_still_reads_why_that_is_refused(self):
        """What was not read yet made the close a reset, which took the answer away."""
        client = self.raw(self.proxy(self.server()))
        client.send(post(b"/team/app.git/git-receive-pack", pattern(300_000)))
        self.assertEqual(client.recv_response().status, 400)

    def test_a_ticket_does_not_outlive_the_authorities_by_whom_its_server_was_believed(self):
        """It was taken for a proof after tls_ca had changed."""
        ca = self.made / "trusted.pem"
        shutil.copy(self.made / "ca.pem", ca)
        server = self.secure_server(answering(ok(b"x", b"Connection: close")))
        proxy = self.proxy(server, tls=False, tables=f'tls = true\ntls_ca = "{ca}"\n')
        for _ in range(2):
            self.assertEqual(self.client(proxy).ask(GET).status, 200)
        self.assertTrue(server.connection(1).sock_reused)
        shutil.copy(self.made / "other-ca.pem", ca)
        self.assertTrue(proxy.stderr.wait_for(lambda line: "read again" in line))
        self.assertEqual(self.client(proxy).ask(GET).status, 502)

    def test_half_a_record_on_an_idle_connection_is_not_nothing(self):
        """The connection was used again, and the rest of the record became the next client's answer."""
        said = threading.Event()

        def script(peer):
            if peer.index > 0:
                tls = Puppet(self.context, peer.sock)
                tls.handshake()
                tls.read_head()
                peer.send(tls.seal(ok(b"honest")))
                return
            tls = Puppet(self.context, peer.sock)
            tls.handshake()
            tls.read_head()
            peer.send(tls.seal(ok(b"first")))
            stolen = tls.seal(ok(b"stolen"))
            peer.send(stolen[:30])
            said.set()
            peer.sock.recv(65536)
            peer.try_send(stolen[30:])

        proxy = self.to(self.keep(ScriptedServer(script)))
        client = self.client(proxy)
        self.assertEqual(client.ask(GET).body, b"first")
        self.assertTrue(said.wait(TIMEOUT))
        self.a_turn_of(proxy)
        self.assertEqual(client.ask(GET).body, b"honest")

    def test_who_says_nothing_takes_no_place_of_those_that_do(self):
        """Silent connections held all places until their time was over."""
        proxy = self.proxy(self.server(answering(ok(b"x"))), tables="[limits]\ntls_handshakes = 1\n")
        silent = self.raw(proxy)
        self.assertEqual(self.client(proxy).ask(GET).status, 200)
        silent.send(hello()[:10])

    def test_who_began_to_say_something_leaves_its_place_to_others(self):
        """One byte of a hello held a place until its time was over."""
        proxy = self.proxy(self.server(answering(ok(b"x"))),
                           tables='[limits]\ntls_handshakes = 1\n[timeouts]\ntls_handshake = "1h"\n')
        slow = [self.raw(proxy) for _ in range(2)]
        for client in slow:
            client.send(hello()[:10])
        self.assertEqual(self.client(proxy).ask(GET).status, 200)

    def test_who_says_nothing_does_not_hold_up_a_drain(self):
        """It was waited for until its handshake was out of time."""
        proxy = self.proxy(self.server(), tables='[timeouts]\ntls_handshake = "1h"\n')
        self.raw(proxy)
        while proxy.metrics()["breakwater_connections_accepted_total"] == 0:
            pass
        proxy.stop()


if __name__ == "__main__":
    main()
