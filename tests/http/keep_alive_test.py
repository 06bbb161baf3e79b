"""Keep-alive on both sides and pipelining: order, one answer a request, one server connection for many requests."""

import time

from support import (GET, ProxyTest, answering, always, chunked, get, main, ok, post)


class KeepAlive(ProxyTest):
    def test_one_connection_each_side_serves_many_requests(self):
        server = self.server(always(ok(b"same")))
        client = self.client(self.proxy(server))
        for number in range(5):
            reply = client.ask(get(b"/%d" % number))
            self.assertEqual((reply.status, reply.body), (200, b"same"))
            self.assertEqual(reply.head.values("connection"), [])
        peer = server.connection(0)
        self.assertEqual([request.head_without_ours for request in peer.requests], [get(b"/%d" % n) for n in range(5)])
        self.assertEqual(len(server.connections), 1)

    def test_server_connection_is_shared_by_clients_one_after_the_other(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        for number in range(3):
            client = self.client(proxy)
            self.assertEqual(client.ask(get(b"/%d" % number)).body, b"x")
            client.close()
        self.assertEqual(len(server.connections), 1)
        self.assertEqual([request.head.start_line for request in server.requests],
                         [b"GET /%d HTTP/1.1" % n for n in range(3)])

    def test_client_that_asks_to_close_is_closed_and_the_server_connection_stays(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        reply = client.ask(get(b"/", b"Connection: close"))
        self.assertEqual(reply.body, b"x")
        self.assertEqual([value.lower() for value in reply.head.values("connection")], [b"close"])
        self.assert_closed(client)
        self.assertEqual(self.client(proxy).ask(GET).body, b"x")
        self.assertEqual(len(server.connections), 1)
        self.assertEqual(server.requests[0].head_without_ours, GET)

    def test_a_server_connection_that_is_logged_in_is_nobody_elses(self):
        """NTLM and Negotiate may log in a connection instead of a request (RFC 4559 §6): the next client had the same name."""
        def script(peer):
            user = b"nobody"
            while True:
                if peer.read_request().head.values("authorization"):
                    user = b"alice"
                peer.send(ok(user))

        for scheme in (b"NTLM", b"Negotiate", b"negotiate"):
            with self.subTest(scheme):
                server = self.server(script)
                proxy = self.proxy(server)
                self.assertEqual(self.client(proxy).ask(get(b"/", b"Authorization: %s YWxpY2U=" % scheme)).body, b"alice")
                self.assertEqual(self.client(proxy).ask(GET).body, b"nobody")
                self.assertEqual(server.connection(0).wait_end(), "fin")

    def test_server_that_asks_to_close_is_not_reused_and_the_client_stays(self):
        server = self.server(answering(ok(b"one", b"Connection: close")), answering(ok(b"two")))
        client = self.client(self.proxy(server))
        reply = client.ask(get(b"/1"))
        self.assertEqual(reply.body, b"one")
        self.assertEqual(reply.head.values("connection"), [])
        server.connection(0).wait_end()
        self.assertEqual(client.ask(get(b"/2")).body, b"two")
        self.assertEqual([len(peer.requests) for peer in server.connections], [1, 1])

    def test_server_of_http_1_0_is_not_reused(self):
        answer = b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\none"
        server = self.server(answering(answer), answering(ok(b"two")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(get(b"/1")).body, b"one")
        server.connection(0).wait_end()
        self.assertEqual(client.ask(get(b"/2")).body, b"two")

    def test_client_left_idle_is_closed_without_a_word(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server, tables='[timeouts]\nkeep_alive = "200ms"\n'))
        client.ask(GET)
        self.assert_closed(client)

    def test_a_client_after_a_long_silence_has_its_whole_time(self):
        """The clock of a core that had slept was the one from before, so the client's time was over at once."""
        proxy = self.proxy(self.server(always(ok(b"x"))), tables='[timeouts]\nhead = "1s"\nkeep_alive = "1s"\n')
        time.sleep(1.5)  # nothing happens: that is the test
        client = self.client(proxy)
        time.sleep(0.3)
        self.assertEqual(client.ask(GET).body, b"x")

    def test_server_connection_left_idle_is_closed(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server, tables='[timeouts]\nserver_idle = "200ms"\n'))
        client.ask(GET)
        self.assertEqual(server.connection(0).wait_end(), "fin")
        self.assertEqual(client.ask(GET).body, b"x")
        self.assertEqual(len(server.connections), 2)

    def test_one_empty_line_before_a_request_is_skipped(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        client.ask(GET)
        self.assertEqual(client.ask(b"\r\n" + GET).body, b"x")
        self.assertEqual([request.head_without_ours for request in server.requests], [GET, GET])


class Pipelining(ProxyTest):
    def test_ten_requests_in_one_packet_are_answered_in_order(self):
        def script(peer):
            while True:
                request = peer.read_request()
                peer.send(ok(b"answer to " + request.head.start_line))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(b"".join(get(b"/%d" % n) for n in range(10)))
        for number in range(10):
            self.assertEqual(client.recv_response().body, b"answer to GET /%d HTTP/1.1" % number)
        self.assertEqual([request.head_without_ours for request in server.requests],
                         [get(b"/%d" % n) for n in range(10)])

    def test_the_next_request_goes_out_only_after_the_answer_before_it(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na")
            self.assertEqual(bytes(peer.buffer), b"")
            peer.send(b"b")
            peer.answer(ok(b"two"))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(get(b"/1") + get(b"/2"))
        self.assertEqual(client.recv_response().body, b"ab")
        self.assertEqual(client.recv_response().body, b"two")

    def test_pipelined_after_a_length_body(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        client.send(post(b"/1", b"GET /smuggled HTTP/1.1\r\n\r\n") + get(b"/2"))
        client.recv_response()
        client.recv_response()
        first, second = server.requests
        self.assertEqual(first.body, b"GET /smuggled HTTP/1.1\r\n\r\n")
        self.assertEqual(first.kind, "length")
        self.assertEqual(second.head_without_ours, get(b"/2"))

    def test_pipelined_after_chunked_bodies_with_and_without_trailers(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        head = b"POST /%d HTTP/1.1\r\nHost: git.example\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head % 1 + chunked(b"hello", b" ", b"world") +
                    head % 2 + chunked(b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n", trailers=[b"X-Sum: 1"]) +
                    head % 3 + chunked() + get(b"/4"))
        for _ in range(4):
            self.assertEqual(client.recv_response().body, b"x")
        # Whichever pooled connection the last one took.
        self.assertCountEqual([(request.head.start_line, request.body) for request in server.requests], [
            (b"POST /1 HTTP/1.1", b"hello world"),
            (b"POST /2 HTTP/1.1", b"0\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n"),
            (b"POST /3 HTTP/1.1", b""),
            (b"GET /4 HTTP/1.1", b""),
        ])

    def test_pipelined_behind_a_head_request_and_answers_without_body(self):
        server = self.server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", b"HTTP/1.1 204 No Content\r\n\r\n",
                                       b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", ok(b"last")))
        client = self.client(self.proxy(server))
        client.send(b"HEAD /1 HTTP/1.1\r\nHost: git.example\r\n\r\n" + get(b"/2") + get(b"/3") + get(b"/4"))
        self.assertEqual(client.recv_response("HEAD").head.value("content-length"), b"500")
        self.assertEqual(client.recv_response().status, 204)
        self.assertEqual(client.recv_response().status, 304)
        self.assertEqual(client.recv_response().body, b"last")

    def test_a_request_that_comes_a_byte_at_a_time(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        for byte in post(b"/slow", b"body") + get(b"/next"):
            client.send(bytes([byte]))
        self.assertEqual(client.recv_response().body, b"x")
        self.assertEqual(client.recv_response().body, b"x")
        self.assertEqual([request.body for request in server.requests], [b"body", b""])
        self.assertEqual(server.requests[1].head_without_ours, get(b"/next"))

    def test_what_follows_a_bad_request_is_never_served(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(get(b"/1") + b"GET /2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + get(b"/3"))
        self.assertEqual(client.recv_response().body, b"x")
        self.assert_own_reply(proxy, client.recv_response(), 400)
        self.assert_closed(client)
        self.assertEqual([request.head_without_ours for request in server.requests], [get(b"/1")])
        self.assertNotIn(b"/2", server.received)


if __name__ == "__main__":
    main()
