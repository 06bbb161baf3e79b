"""Clients that hardly take an answer or hardly give a request's body, and those that only look as if they did."""

import threading
import time

from support import ProxyTest, get, git_post, main, ok, pattern

LARGE = 24 << 20  # more than the sockets on its way hold
QUICK = '[timeouts]\nclient_pace = "64KiB"\nclient_pace_window = "200ms"\n'
WINDOW = 0.2
SLOW_CLIENTS = "breakwater_slow_clients_total"


def large_answer(framing):
    body = pattern(LARGE)
    if framing == "chunked":
        chunks = b"".join(b"2000\r\n%s\r\n" % body[at:at + 0x2000] for at in range(0, LARGE, 0x2000))
        return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    return ok(body)


class SlowReaders(ProxyTest):
    def read_slowly(self, client, proxy):
        """A few bytes at a time, far below the pace however fast this machine is, until the proxy has ended it."""
        pause = threading.Event()
        client.sock.settimeout(5)
        deadline = time.monotonic() + 60
        while not proxy.log_lines():
            self.assertLess(time.monotonic(), deadline, "the client was kept")
            if not client.sock.recv(64):
                break
            pause.wait(0.02)
        return proxy.wait_for_log(lambda entry: True)

    def check_cut(self, framing, tables):
        answer = large_answer(framing)  # now: this takes seconds where much else runs, and the client counts them
        server = self.server(lambda peer: (peer.read_request(), peer.try_send(answer)))
        proxy = self.proxy(server, tables=QUICK + tables)
        client = self.client(proxy, receive_buffer=4096)
        client.send(get(b"/team/repo.git/objects/pack/pack-1.pack"))
        entry = self.read_slowly(client, proxy)
        self.assertEqual((entry["timeout"], entry["phase"], entry["ended_by"], entry["status"]),
                         ("client_pace", "response_body", "client", 200))
        self.assertLess(entry["bytes_out"], LARGE)
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 1)
        self.assertEqual(proxy.metrics()["breakwater_timeouts_total"], 1)
        server.connection(0).wait_end()
        client.read_until_end()
        self.assertEqual(client.ended, "reset")  # so that nothing of it passes for whole

    def test_a_spliced_answer_is_cut(self):
        self.check_cut("length", "")

    def test_a_copied_answer_is_cut(self):
        self.check_cut("chunked", "[limits]\npipes = 0\n")

    def test_a_client_above_the_pace_is_not_cut(self):
        # It is waited for nearly all the time, through more than one window, and moves many times what it must.
        answer = large_answer("length")
        server = self.server(lambda peer: (peer.read_request(), peer.try_send(answer)))
        tables = '[timeouts]\nclient_pace = "1KiB"\nclient_pace_window = "1s"\n'
        proxy = self.proxy(server, tables=tables)
        client = self.client(proxy, receive_buffer=4096)
        client.send(get(b"/"))
        pause = threading.Event()
        began = time.monotonic()
        while time.monotonic() - began < 3:
            self.assertTrue(client.sock.recv(4096))
            pause.wait(0.01)
        self.assertEqual(proxy.log_lines(), [])
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 0)

    def test_a_server_that_trickles_does_not_count_against_its_client(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            pause = threading.Event()
            began = time.monotonic()
            while time.monotonic() - began < 6 * WINDOW:
                peer.send(b"1\r\n.\r\n")
                pause.wait(WINDOW / 10)
            peer.send(b"0\r\n\r\n")

        proxy = self.proxy(self.server(script), tables=QUICK)
        reply = self.client(proxy).ask(get(b"/"))
        self.assertGreater(len(reply.body), 1)
        self.assertNotIn("timeout", proxy.wait_for_log(lambda entry: True))

    def test_a_server_that_is_silent_does_not_count_against_its_client(self):
        body = pattern(1 << 20)

        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body[:700_000])
            threading.Event().wait(6 * WINDOW)
            peer.send(body[700_000:])

        proxy = self.proxy(self.server(script), tables=QUICK)
        self.assertEqual(self.client(proxy).ask(get(b"/")).body, body)
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 0)


class SlowWriters(ProxyTest):
    def trickle(self, client, proxy, piece):
        pause = threading.Event()
        deadline = time.monotonic() + 60
        while not proxy.log_lines() and client.try_send(piece):
            self.assertLess(time.monotonic(), deadline, "the client was kept")
            pause.wait(0.02)
        return proxy.wait_for_log(lambda entry: True)

    def test_a_body_that_trickles_is_a_408_and_never_completed(self):
        server = self.server(lambda peer: peer.read_request())
        proxy = self.proxy(server, tables=QUICK)
        for head, piece in ((git_post("receive-pack"), b"1\r\nx\r\n"),
                            (b"PUT /lfs HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n", b"x")):
            client = self.client(proxy)
            client.send(head)
            pause = threading.Event()
            while not client.has_something() and client.try_send(piece):
                pause.wait(0.02)
            entry = self.assert_own_reply(proxy, client.recv_response(), 408)
            self.assertEqual((entry["timeout"], entry["phase"], entry["ended_by"]), ("client_pace", "request", "client"))
            client.close()
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 2)
        self.assert_never_completed(proxy, server)

    def test_one_that_trickles_on_behind_its_answer_is_cut(self):
        def script(peer):
            peer.read_head()
            peer.send(ok(b"early"))

        proxy = self.proxy(self.server(script), tables=QUICK)
        client = self.client(proxy)
        client.send(git_post("receive-pack") + b"1\r\nx\r\n")
        self.assertEqual(client.recv_response().body, b"early")
        entry = self.trickle(client, proxy, b"1\r\nx\r\n")
        self.assertEqual((entry["timeout"], entry["status"]), ("client_pace", 200))

    def test_a_server_that_does_not_read_does_not_count_against_its_client(self):
        reads = threading.Event()

        def script(peer):
            peer.read_head()
            reads.wait(6 * WINDOW)
            peer.read_exact(LARGE)
            peer.send(ok(b"all of it"))

        proxy = self.proxy(self.server(script), tables=QUICK)
        request = b"PUT /lfs HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % LARGE + pattern(LARGE)
        client = self.client(proxy)
        client.send(request)  # as fast as it goes
        self.assertEqual(client.recv_response().body, b"all of it")
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 0)

    def test_a_client_that_waits_for_100_is_not_cut_and_one_that_has_it_is(self):
        def script(peer):
            peer.read_head()
            threading.Event().wait(6 * WINDOW)
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.read_until_end()

        proxy = self.proxy(self.server(script), tables=QUICK)
        client = self.client(proxy)
        client.send(b"PUT /lfs HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 999999\r\n\r\n")
        self.assertEqual(client.recv_head().status, 100)
        self.assertEqual(proxy.metrics()[SLOW_CLIENTS], 0)
        self.assertEqual(self.trickle(client, proxy, b"x")["timeout"], "client_pace")

    def test_a_tunnel_may_be_silent(self):
        def script(peer):
            peer.read_head()
            peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
            peer.read_exact(4)
            threading.Event().wait(6 * WINDOW)
            peer.send(b"pong")

        proxy = self.proxy(self.server(script), tables=QUICK)
        client = self.client(proxy)
        client.send(get(b"/", b"Connection: Upgrade", b"Upgrade: websocket"))
        self.assertEqual(client.recv_head().status, 101)
        client.send(b"ping")
        self.assertEqual(client.recv_exact(4), b"pong")


if __name__ == "__main__":
    main()
