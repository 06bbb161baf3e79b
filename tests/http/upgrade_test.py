"""Upgrade: a WebSocket becomes a tunnel, nothing else does."""

import socket
import threading

from support import TIMEOUT, ProxyTest, always, answering, get, main, ok, pattern

FIELDS = [b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
ASK = get(b"/ws", b"Connection: Upgrade", b"Upgrade: websocket", *FIELDS)
SWITCH = (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")


class WebSocket(ProxyTest):
    def tunnel(self, script, early=b""):
        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(ASK + early)
        head = client.recv_head()
        self.assertEqual(head.status, 101)
        self.assertEqual(head.value("upgrade").lower(), b"websocket")
        self.assertEqual(head.value("connection").lower(), b"upgrade")
        self.assertEqual(head.value("sec-websocket-accept"), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        got = server.connection(0).requests[0].head
        self.assertEqual(got.value("upgrade").lower(), b"websocket")
        self.assertEqual(got.value("connection").lower(), b"upgrade")
        self.assertEqual(got.without(*got.TRACING, "connection", "upgrade"), get(b"/ws", *FIELDS))
        return server, client

    def test_bytes_pass_both_ways_whatever_they_look_like(self):
        def script(peer):
            peer.answer(SWITCH + b"\x81\x05early")  # the first frame in the same packet as the head
            for _ in range(3):
                peer.send(b"echo " + peer.read_until(b"\n"))

        _, client = self.tunnel(script)
        self.assertEqual(client.recv_exact(7), b"\x81\x05early")
        for line in (b"\x00\xff\r\r\n", b"GET / HTTP/1.1\n", b"0\r\r0\n"):
            client.send(line)
            self.assertEqual(client.recv_exact(len(line) + 5), b"echo " + line)

    def test_bytes_that_the_client_sends_before_the_101_are_not_lost(self):
        def script(peer):
            peer.answer(SWITCH)
            peer.send(b"got " + peer.read_exact(5))

        _, client = self.tunnel(script, early=b"eager")
        self.assertEqual(client.recv_exact(9), b"got eager")

    def test_megabytes_both_ways_at_once(self):
        data = pattern(4 * 1024 * 1024)

        def script(peer):
            peer.answer(SWITCH)
            for at in range(0, len(data), 65536):
                part = peer.read_exact(min(65536, len(data) - at))
                peer.send(part)

        _, client = self.tunnel(script)
        got = bytearray()
        for at in range(0, len(data), 65536):
            client.send(data[at:at + 65536])
            got += client.recv_exact(min(65536, len(data) - at))
        self.assertTrue(got == data)

    def test_half_close_by_the_client(self):
        def script(peer):
            peer.answer(SWITCH)
            self.assertEqual(peer.read_until_end(), b"last words")
            peer.send(b"heard")
            peer.close()

        _, client = self.tunnel(script)
        client.send(b"last words")
        client.half_close()
        self.assertEqual(client.recv_until_close(), b"heard")
        self.assertEqual(client.ended, "fin")

    def test_half_close_by_the_server(self):
        def script(peer):
            peer.answer(SWITCH)
            peer.send(b"bye")
            peer.shutdown_write()
            peer.read_until_end()

        server, client = self.tunnel(script)
        self.assertEqual(client.recv_until_close(), b"bye")
        client.send(b"and bye")
        client.close()
        server.connection(0).wait_end()
        self.assertTrue(server.received.endswith(b"and bye"))

    def test_reset_by_the_client_ends_the_server_connection(self):
        server, client = self.tunnel(answering(SWITCH))
        client.reset()
        server.connection(0).wait_end()

    def test_reset_by_the_server_ends_the_client_connection(self):
        def script(peer):
            peer.answer(SWITCH)
            peer.read_exact(2)
            peer.reset()

        _, client = self.tunnel(script)
        client.send(b"go")
        self.assertEqual(client.recv_until_close(), b"")

    def test_a_server_that_declines_gives_an_ordinary_answer(self):
        server = self.server(answering(ok(b"no", status=b"426 Upgrade Required"), ok(b"next")))
        client = self.client(self.proxy(server))
        client.send(ASK)
        self.assertEqual(client.recv_response().status, 426)
        self.assertEqual(client.ask(get(b"/next")).body, b"next")

    def test_upgrade_among_other_connection_options(self):
        server = self.server(answering(SWITCH))
        client = self.client(self.proxy(server))
        client.send(get(b"/ws", b"Connection: keep-alive, Upgrade", b"Upgrade: WebSocket", *FIELDS))
        self.assertEqual(client.recv_head().status, 101)


    def test_a_server_that_reads_slowly_gets_all_that_was_said_before_the_end(self):
        """Both sides had ended well, and what was still on its way to the server was thrown away by a reset."""
        data = pattern(400_000)
        said = threading.Event()
        got = bytearray()

        def script(peer):
            peer.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            peer.answer(SWITCH + b"bye")
            peer.shutdown_write()
            said.wait(TIMEOUT)
            got.extend(peer.read_exact(len(data)))
            peer.read_until_end()

        server, client = self.tunnel(script)
        self.assertEqual(client.recv_until_close(), b"bye")
        client.send(data)
        client.shutdown_write()
        said.set()
        server.connection(0).wait_end()
        self.assertEqual((bytes(got), server.connection(0).ended), (data, "fin"))


class NoTunnel(ProxyTest):
    def not_forwarded(self, *fields, request=None):
        server = self.server(always(ok(b"plain")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(request or get(b"/", *fields)).body, b"plain")
        head = server.requests[0].head
        self.assertEqual(head.values("connection") + head.values("upgrade") + head.values("http2-settings"), [])
        return server.requests[0]

    def test_h2c_is_not_forwarded(self):
        got = self.not_forwarded(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
        self.assertEqual(got.head_without_ours, get(b"/"))

    def test_h2c_beside_websocket_is_not_forwarded(self):
        server = self.server(always(ok(b"plain")))
        client = self.client(self.proxy(server))
        client.ask(get(b"/", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: websocket, h2c", b"HTTP2-Settings: AAMA"))
        self.assertNotIn(b"h2c", server.received)
        self.assertNotIn(b"HTTP2-Settings", server.received)

    def test_upgrade_without_the_connection_option_is_not_forwarded(self):
        self.not_forwarded(b"Upgrade: websocket")

    def test_upgrade_on_a_post_is_not_forwarded(self):
        got = self.not_forwarded(request=b"POST / HTTP/1.1\r\nHost: git.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello")
        self.assertEqual(got.body, b"hello")

    def test_upgrade_of_http_1_0_is_not_forwarded(self):
        self.not_forwarded(request=b"GET / HTTP/1.0\r\nHost: git.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")

    def test_a_101_that_nobody_asked_for_is_a_502(self):
        for request in (get(b"/"), get(b"/", b"Connection: Upgrade", b"Upgrade: h2c")):
            with self.subTest(request):
                server = self.server(answering(SWITCH + b"EVIL"), answering(ok(b"next")))
                proxy = self.proxy(server)
                client = self.client(proxy)
                client.send(request)
                self.assert_own_reply(proxy, client.recv_response(), 502)
                server.connection(0).wait_end()
                self.assertEqual(self.client(proxy).ask(get(b"/next")).body, b"next")
                self.assertNotIn(b"EVIL", client.record)

    def test_a_101_to_something_else_is_a_502(self):
        """The client was told that it was the WebSocket it had asked for."""
        for switch in (SWITCH.replace(b"Upgrade: websocket\r\n", b""), SWITCH.replace(b"Upgrade: websocket", b"Upgrade: h2c"),
                       SWITCH.replace(b"HTTP/1.1", b"HTTP/1.0")):
            with self.subTest(switch):
                proxy = self.proxy(self.server(answering(switch + b"EVIL")))
                client = self.client(proxy)
                client.send(ASK)
                self.assert_own_reply(proxy, client.recv_response(), 502)
                self.assertNotIn(b"EVIL", client.record)


if __name__ == "__main__":
    main()
