"""Servers on unix sockets: the same bytes both ways, pooled connections, ends and resets."""

import os
import socket
import subprocess
import tempfile

from support import BREAKWATER, LAST_CHUNK, LOOPBACK, TIMEOUT, ProxyTest, UnixServer, always, answering, chunked, get, main, ok, pattern, post

LARGE = pattern(3_000_000)  # more than a socket holds: spliced in parts


class UnixSocket(ProxyTest):
    def unix_server(self, *scripts):
        return self.keep(UnixServer(*scripts))

    def test_get_on_a_connection_that_is_used_again(self):
        server = self.unix_server(always(ok(b"hello")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        for _ in range(3):
            self.assertEqual(client.ask(get(b"/a")).body, b"hello")
        self.assertEqual(len(server.connections), 1)
        self.assertEqual(server.requests[0].head_without_ours, get(b"/a"))
        self.assertEqual(proxy.wait_for_log(lambda entry: True)["server"], server.address)

    def test_from_a_file(self):
        client = self.client(self.proxy(self.unix_server(always(ok(b"hello"))), tables=""))
        self.assertEqual(client.ask(get()).body, b"hello")

    def test_post(self):
        server = self.unix_server(always(ok(b"done")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(post(b"/a", b"hello")).body, b"done")
        self.assertEqual(server.requests[0].body, b"hello")

    def test_large_bodies_both_ways(self):
        server = self.unix_server(always(ok(LARGE)))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(get()).body, LARGE)
        self.assertEqual(client.ask(post(b"/a", LARGE)).body, LARGE)
        self.assertEqual(server.requests[1].body, LARGE)

    def test_large_chunked_answer(self):
        pieces = [LARGE[at : at + 8000] for at in range(0, len(LARGE), 8000)]
        answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(*pieces)
        client = self.client(self.proxy(self.unix_server(always(answer))))
        self.assertEqual(client.ask(get()).body, LARGE)

    def test_an_answer_that_ends_with_the_connection(self):
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + LARGE)
            peer.close()

        self.assertEqual(self.client(self.proxy(self.unix_server(script))).ask(get()).body, LARGE)

    def test_http_1_0_without_a_host_asks_localhost(self):
        server = self.unix_server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(b"GET /old HTTP/1.0\r\n\r\n").body, b"hello")
        self.assertEqual(server.requests[0].head.value("host"), b"localhost")

    def test_a_reset_before_the_answer(self):
        def script(peer):
            peer.sock.recv(1, socket.MSG_PEEK)
            peer.close()  # with bytes unread: ECONNRESET for the proxy

        proxy = self.proxy(self.unix_server(script))
        reply = self.client(proxy).ask(post(b"/a", b"hello"))
        self.assert_own_reply(proxy, reply, 502)

    def test_an_answer_that_is_cut_off(self):
        for unread in (False, True):  # the end, or a reset
            with self.subTest(unread=unread):
                def script(peer):
                    peer.sock.recv(1) if unread else peer.read_request()
                    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")
                    peer.close()

                client = self.client(self.proxy(self.unix_server(script)))
                client.send(get())
                head, body = client.recv_aborted()
                self.assertEqual((head.status, body), (200, b"hello"))

    def test_a_client_that_leaves_within_its_request_leaves_no_whole_one_behind(self):
        server = self.unix_server(answering(ok()))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(b"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
        server.connection(0).wait_received(b"hello")
        client.reset()
        server.connection(0).wait_end()
        body = bytes(server.connection(0).record).partition(b"\r\n\r\n")[2]  # a request id may end in a 0, too
        self.assertNotIn(LAST_CHUNK, body)
        self.assert_never_completed(proxy, server)

    def test_nobody_there_and_the_next_one_is(self):
        with tempfile.TemporaryDirectory() as folder:
            missing = f"unix:{os.path.join(folder, 'missing.sock')}"
            proxy = self.proxy(missing, self.unix_server(always(ok(b"hello"))))
            for _ in range(2):  # each of the two is asked first once
                self.assertEqual(self.client(proxy).ask(get()).body, b"hello")
            proxy = self.proxy(missing)
            self.assert_own_reply(proxy, self.client(proxy).ask(get()), 502)

    def test_no_listener_is_on_one(self):
        done = subprocess.run([BREAKWATER, "run", "--listen", "unix:/run/x", "--backend", f"{LOOPBACK}:1"], capture_output=True,
                              timeout=TIMEOUT, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (2, "breakwater: --listen: a unix socket has no place here; write host:port\n"))


if __name__ == "__main__":
    main()
