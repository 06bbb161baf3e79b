"""HTTP/1.0 clients: until-close answers, keep-alive by request, no chunked, no Host needed."""

from support import ProxyTest, always, answering, chunked, get, main, ok

GET_1_0 = b"GET /old HTTP/1.0\r\nHost: git.example\r\n\r\n"
GET_1_0_KEEP = b"GET /old HTTP/1.0\r\nHost: git.example\r\nConnection: keep-alive\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


class Http10(ProxyTest):
    def test_answer_with_a_length_then_close(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        reply = client.ask(GET_1_0)
        self.assertEqual((reply.kind, reply.body), ("length", b"hello"))
        self.assert_closed(client)
        self.assertEqual(server.requests[0].head_without_ours, GET_1_0.replace(b"HTTP/1.0", b"HTTP/1.1"))

    def test_chunked_answer_becomes_until_close(self):
        server = self.server(always(CHUNKED + chunked(b"hello, ", b"world", trailers=[b"X-Sum: 1"])))
        for request in (GET_1_0, GET_1_0_KEEP):
            client = self.client(self.proxy(server))
            reply = client.ask(request)
            self.assertEqual((reply.kind, reply.body), ("until_close", b"hello, world"))
            self.assertEqual(reply.head.values("transfer-encoding") + reply.head.values("content-length"), [])
            self.assertNotIn(b"keep-alive", reply.head.raw.lower())
            self.assertEqual(client.ended, "fin")

    def test_chunked_answer_cut_off_is_no_clean_end(self):
        def script(peer):
            peer.answer(CHUNKED + b"5\r\nhello\r\n")
            peer.close()

        client = self.client(self.proxy(self.server(script)))
        client.send(GET_1_0)
        client.recv_head()
        client.recv_until_close()
        self.assertEqual(client.ended, "reset")  # without chunks a FIN would say that the answer is whole

    def test_keep_alive_when_asked_for(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        for _ in range(3):
            reply = client.ask(GET_1_0_KEEP)
            self.assertEqual((reply.kind, reply.body), ("length", b"hello"))
            self.assertEqual([value.lower() for value in reply.head.values("connection")], [b"keep-alive"])
        self.assertEqual(len(server.connections), 1)
        self.assertEqual([request.head.values("connection") for request in server.requests], [[]] * 3)

    def test_no_host_is_needed_and_the_server_gets_one(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(b"GET /old HTTP/1.0\r\nX-A: b\r\n\r\n").body, b"hello")
        head = server.requests[0].head
        self.assertEqual(head.start_line, b"GET /old HTTP/1.1")
        self.assertEqual(head.value("x-a"), b"b")
        self.assertEqual(head.value("host"), server.address.encode())

    def test_post_with_a_length(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(b"POST /old HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello").body, b"x")
        self.assertEqual(server.requests[0].body, b"hello")

    def test_a_server_of_http_1_0_and_a_client_of_1_1(self):
        def script(peer):
            peer.answer(b"HTTP/1.0 200 OK\r\nX-A: b\r\n\r\nhello")
            peer.close()

        client = self.client(self.proxy(self.server(script, answering(ok(b"next")))))
        reply = client.ask(get())
        self.assertEqual(reply.head.start_line, b"HTTP/1.1 200 OK")
        self.assertEqual(reply.body, b"hello")


class Server10(ProxyTest):
    def test_chunks_are_not_left_to_one_that_may_not_know_them(self):
        """It says keep-alive, but may have taken the chunks for the next request, and the next client would get that one's answer."""
        answer = b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok"
        server = self.server(answering(answer), always(ok(b"another")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        self.assertEqual(client.ask(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(b"hello")).body, b"ok")
        server.connection(0).wait_end()
        self.assertEqual(client.ask(get(b"/")).body, b"another")


if __name__ == "__main__":
    main()
