"""Interim answers: 100 (Continue) between client and server, 103 (Early Hints)."""

from support import GET, ProxyTest, always, answering, chunked, get, git_post, main, ok

EXPECTING = b"POST /up HTTP/1.1\r\nHost: git.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"


class Continue(ProxyTest):
    def test_the_servers_100_reaches_the_client_before_any_of_the_body_is_sent(self):
        def script(peer):
            head = peer.read_head()
            self.assertEqual(head.without(*head.TRACING), EXPECTING)
            self.assertEqual(bytes(peer.buffer), b"")
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.assertEqual(peer.read_exact(5), b"hello")
            peer.send(ok(b"done"))
            peer.answer(ok(b"next"))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(EXPECTING)
        self.assertEqual(client.recv_head().raw, b"HTTP/1.1 100 Continue\r\n\r\n")
        client.send(b"hello")
        self.assertEqual(client.recv_response().body, b"done")
        self.assertEqual(client.ask(get(b"/next")).body, b"next")
        self.assertEqual(len(server.connections), 1)

    def test_chunked_body_after_the_100(self):
        def script(peer):
            head = peer.read_head()
            self.assertEqual(head.value("expect"), b"100-continue")
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.assertEqual(peer.read_body(head).body, b"hello, world")
            peer.send(ok(b"done"))

        client = self.client(self.proxy(self.server(script)))
        client.send(git_post("receive-pack").replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        self.assertEqual(client.recv_head().status, 100)
        client.send(chunked(b"hello, ", b"world"))
        self.assertEqual(client.recv_response().body, b"done")

    def test_a_refusal_instead_of_the_100_reaches_the_client_and_ends_its_connection(self):
        def script(peer):
            peer.read_head()
            peer.send(ok(b"who are you?", b"WWW-Authenticate: Basic realm=x", status=b"401 Unauthorized"))

        server = self.server(script, always(ok(b"other")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(EXPECTING)
        reply = client.recv_response()
        self.assertEqual((reply.status, reply.body), (401, b"who are you?"))
        self.assertEqual(reply.head.value("www-authenticate"), b"Basic realm=x")
        self.assertEqual([value.lower() for value in reply.head.values("connection")], [b"close"])
        client.half_close()
        self.assert_closed(client)
        # The server may still count on five bytes: nothing may ever follow on that connection.
        self.assertEqual(self.client(proxy).ask(GET).body, b"other")
        server.connection(0).wait_end()
        self.assertEqual(server.connection(0).record.count(b"HTTP/1.1"), 1)

    def test_a_client_that_does_not_wait_is_served_too(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"done"))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(EXPECTING + b"hello")
        head = client.recv_head()
        if head.status == 100:
            head = client.recv_head()
        self.assertEqual((head.status, client.recv_exact(4)), (200, b"done"))
        self.assertEqual(server.requests[0].body, b"hello")

    def test_a_server_that_never_says_100_gets_the_body_when_the_client_sends_it(self):
        server = self.server(always(ok(b"done")))
        client = self.client(self.proxy(server))
        client.send(EXPECTING)
        server.connection(0).wait_received(b"\r\n\r\n")
        client.send(b"hello")
        self.assertEqual(client.recv_response().body, b"done")
        self.assertEqual(server.requests[0].body, b"hello")

    def test_http_1_0_clients_expectation_is_not_for_us_to_meet(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 100 Continue\r\n\r\n" + ok(b"done"))

        client = self.client(self.proxy(self.server(script)))
        client.send(b"POST /up HTTP/1.0\r\nHost: git.example\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello")
        self.assertEqual(client.recv_response().body, b"done")  # recv_response fails on any 1xx


class EarlyHints(ProxyTest):
    HINT = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"

    def test_every_103_is_forwarded_before_the_answer(self):
        server = self.server(answering(self.HINT + self.HINT.replace(b"a.css", b"b.css") + ok(b"x"), ok(b"next")))
        client = self.client(self.proxy(server))
        client.send(GET)
        self.assertEqual(client.recv_head().raw, self.HINT)
        self.assertEqual(client.recv_head().raw, self.HINT.replace(b"a.css", b"b.css"))
        self.assertEqual(client.recv_response().body, b"x")
        self.assertEqual(client.ask(GET).body, b"next")

    def test_a_103_does_not_wait_for_the_answer(self):
        def script(peer):
            peer.read_head()
            peer.send(self.HINT)
            self.assertEqual(peer.read_exact(5), b"hello")
            peer.send(ok(b"x"))

        client = self.client(self.proxy(self.server(script)))
        client.send(b"POST /up HTTP/1.1\r\nHost: git.example\r\nContent-Length: 5\r\n\r\n")
        self.assertEqual(client.recv_head().raw, self.HINT)
        client.send(b"hello")
        self.assertEqual(client.recv_response().body, b"x")

    def test_hop_by_hop_fields_of_a_103_end_here(self):
        hint = b"HTTP/1.1 103 Early Hints\r\nConnection: X-Secret\r\nX-Secret: 1\r\nLink: </a>\r\nContent-Length: 5\r\n\r\n"
        client = self.client(self.proxy(self.server(answering(hint + ok(b"x")))))
        client.send(GET)
        self.assertEqual(client.recv_head().raw, b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"x")

    def test_http_1_0_clients_get_none(self):
        client = self.client(self.proxy(self.server(answering(self.HINT + ok(b"x")))))
        client.send(b"GET / HTTP/1.0\r\nHost: git.example\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"x")

    def test_twenty_of_them_do_not_hide_the_answer(self):
        client = self.client(self.proxy(self.server(answering(self.HINT * 20 + ok(b"x")))))
        client.send(GET)
        for _ in range(20):
            self.assertEqual(client.recv_head().raw, self.HINT)
        self.assertEqual(client.recv_response().body, b"x")


if __name__ == "__main__":
    main()
