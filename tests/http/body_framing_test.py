"""Body framing in both directions: length, chunked, until-close; HEAD, 204, 304; chunk extensions and trailers."""

from support import (GET, ProxyTest, always, answering, chunked, get, main, ok, pattern, post)

BIG = pattern(3 * 1024 * 1024 + 17)
CHUNKED_POST = b"POST /up HTTP/1.1\r\nHost: git.example\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked_answer(body, *fields):
    return b"\r\n".join([b"HTTP/1.1 200 OK", *fields, b"Transfer-Encoding: chunked"]) + b"\r\n\r\n" + body


class RequestBodies(ProxyTest):
    def exchange(self, request):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        self.assertEqual(client.ask(request).body, b"x")
        self.assertEqual(client.ask(get(b"/next")).body, b"x")
        self.assertEqual(server.requests[1].head_without_ours, get(b"/next"))
        return server.requests[0]

    def test_length(self):
        got = self.exchange(post(b"/up", b"hello", b"Content-Type: text/plain"))
        self.assertEqual((got.kind, got.body), ("length", b"hello"))
        self.assertEqual(got.head.without(*got.head.TRACING),
                         b"POST /up HTTP/1.1\r\nHost: git.example\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")

    def test_length_zero(self):
        got = self.exchange(post(b"/up", b""))
        self.assertEqual((got.kind, got.body), ("length", b""))

    def test_length_of_megabytes(self):
        got = self.exchange(post(b"/up", BIG))
        self.assertEqual(got.kind, "length")
        self.assertTrue(got.body == BIG)

    def test_post_without_any_body(self):
        got = self.exchange(b"POST /up HTTP/1.1\r\nHost: git.example\r\n\r\n")
        self.assertIn((got.kind, got.body), [("none", b""), ("length", b"")])

    def test_chunked(self):
        got = self.exchange(CHUNKED_POST + chunked(b"hello", b", ", b"world"))
        self.assertEqual((got.kind, got.body, got.trailers), ("chunked", b"hello, world", []))
        self.assertEqual(got.head_without_ours, b"POST /up HTTP/1.1\r\nHost: git.example\r\n\r\n")

    def test_chunked_of_megabytes_in_chunks_of_all_sizes(self):
        chunks, at, size = [], 0, 1
        while at < len(BIG):
            chunks.append(BIG[at:at + size])
            at += size
            size = size * 3 % 70001
        got = self.exchange(CHUNKED_POST + chunked(*chunks))
        self.assertEqual(got.kind, "chunked")
        self.assertTrue(got.body == BIG)

    def test_one_chunk_of_megabytes(self):
        got = self.exchange(CHUNKED_POST + chunked(BIG))
        self.assertTrue(got.body == BIG)

    def test_chunks_of_one_byte(self):
        body = pattern(5000)
        got = self.exchange(CHUNKED_POST + chunked(*[body[n:n + 1] for n in range(len(body))]))
        self.assertEqual(got.body, body)

    def test_chunked_a_byte_at_a_time(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server))
        for byte in CHUNKED_POST + b"5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n":
            client.send(bytes([byte]))
        client.recv_response()
        self.assertEqual((server.requests[0].body, server.requests[0].trailers), (b"hello", [b"X-Sum: 1"]))

    def test_chunk_sizes_in_either_case_and_with_leading_zeros(self):
        got = self.exchange(CHUNKED_POST + b"0A\r\n0123456789\r\n0b\r\nabcdefghijk\r\n00\r\n\r\n")
        self.assertEqual(got.body, b"0123456789abcdefghijk")

    def test_chunk_extensions_end_here(self):
        got = self.exchange(CHUNKED_POST + b'5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n')
        self.assertEqual((got.body, got.extensions), (b"hello", 0))

    def test_harmless_trailers_pass_and_forbidden_ones_do_not(self):
        forbidden = [b"Content-Length: 3", b"Host: evil", b"Authorization: Basic eDp5", b"Transfer-Encoding: chunked",
                     b"Connection: close", b"X-WEBAUTH-USER: root", b"X_Webauth_User: root", b"Remote-User: root",
                     b"Content-Type: text/html", b"Cookie: a=b", b"X-Forwarded-For: 6.6.6.6", b"Trailer: x"]
        got = self.exchange(CHUNKED_POST + chunked(b"hello", trailers=[b"X-Sum: 1", *forbidden, b"X-Other: two words"]))
        self.assertEqual(got.trailers, [b"X-Sum: 1", b"X-Other: two words"])
        self.assertEqual(got.body, b"hello")

    def test_body_bytes_are_streamed_not_gathered(self):
        def script(peer):
            peer.read_head()
            peer.read_until(b"first")
            peer.send(b"HTTP/1.1 103 Early Hints\r\n\r\n")  # tells the client that the first part arrived
            peer.read_until(b"\r\n0\r\n\r\n")
            peer.send(ok(b"x"))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(CHUNKED_POST + b"5\r\nfirst\r\n")
        self.assertEqual(client.recv_head().status, 103)
        client.send(b"6\r\nsecond\r\n0\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"x")
        server.connection(0).wait_received(b"second")


class ResponseBodies(ProxyTest):
    def exchange(self, answer, request=GET):
        """The answer as a client gets it; its connection must serve another request afterwards."""
        server = self.server(answering(answer, ok(b"next")), answering(ok(b"next")))
        client = self.client(self.proxy(server))
        reply = client.ask(request, request.split(b" ")[0].decode())
        self.assertEqual(client.ask(get(b"/next")).body, b"next")
        return reply

    def test_length(self):
        reply = self.exchange(ok(b"hello", b"Content-Type: text/plain", b"X-Odd:   spaced  "))
        self.assertEqual((reply.kind, reply.body), ("length", b"hello"))
        self.assertEqual([(name, value) for name, value in reply.head.fields if name.lower() != b"content-length"],
                         [(b"Content-Type", b"text/plain"), (b"X-Odd", b"spaced")])

    def test_length_zero(self):
        reply = self.exchange(ok(b""))
        self.assertEqual((reply.kind, reply.body), ("length", b""))

    def test_length_of_megabytes(self):
        reply = self.exchange(ok(BIG))
        self.assertEqual(reply.kind, "length")
        self.assertTrue(reply.body == BIG)

    def test_status_line_and_fields_pass_byte_for_byte(self):
        head = b"HTTP/1.1 418 I'm a  teapot\r\nServer: odd/1.0\r\nsEt-COOKIE: a=1\r\nSet-Cookie: b=2\r\nX-Empty:\r\nX-Latin: caf\xe9\r\n"
        reply = self.exchange(head + b"Content-Length: 1\r\n\r\nx")
        self.assertEqual(reply.head.start_line, b"HTTP/1.1 418 I'm a  teapot")
        self.assertEqual([field for field in reply.head.fields if field[0].lower() != b"content-length"],
                         [(b"Server", b"odd/1.0"), (b"sEt-COOKIE", b"a=1"), (b"Set-Cookie", b"b=2"), (b"X-Empty", b""),
                          (b"X-Latin", b"caf\xe9")])

    def test_chunked(self):
        reply = self.exchange(chunked_answer(chunked(b"hello", b", ", b"world")))
        self.assertEqual((reply.kind, reply.body, reply.trailers), ("chunked", b"hello, world", []))

    def test_chunked_empty(self):
        reply = self.exchange(chunked_answer(chunked()))
        self.assertEqual((reply.kind, reply.body), ("chunked", b""))

    def test_chunked_of_megabytes_in_chunks_as_git_servers_send_them(self):
        reply = self.exchange(chunked_answer(chunked(*[BIG[at:at + 8184] for at in range(0, len(BIG), 8184)])))
        self.assertTrue(reply.body == BIG)

    def test_one_chunk_of_megabytes(self):
        reply = self.exchange(chunked_answer(chunked(BIG)))
        self.assertTrue(reply.body == BIG)

    def test_chunks_of_one_byte(self):
        body = pattern(5000)
        reply = self.exchange(chunked_answer(chunked(*[body[n:n + 1] for n in range(len(body))])))
        self.assertEqual(reply.body, body)

    def test_chunked_a_byte_at_a_time(self):
        def script(peer):
            peer.read_request()
            for byte in chunked_answer(b"5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"):
                peer.send(bytes([byte]))

        reply = self.client(self.proxy(self.server(script))).ask(GET)
        self.assertEqual((reply.body, reply.trailers), (b"hello", [b"X-Sum: 1"]))

    def test_chunk_extensions_end_here(self):
        reply = self.exchange(chunked_answer(b'5;a=b;c="d e"\r\nhello\r\n0;last\r\n\r\n'))
        self.assertEqual((reply.body, reply.extensions), (b"hello", 0))

    def test_harmless_trailers_pass_and_forbidden_ones_do_not(self):
        answer = chunked_answer(chunked(b"hello", trailers=[b"X-Sum: 1", b"Content-Length: 3", b"Set-Cookie: a=b",
                                                            b"Transfer-Encoding: gzip", b"Connection: close"]))
        self.assertEqual(self.exchange(answer).trailers, [b"X-Sum: 1"])

    def test_until_close(self):
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhello, ")
            peer.send(b"world")
            peer.close()

        server = self.server(script, always(ok(b"next")))
        client = self.client(self.proxy(server))
        reply = client.ask(GET)  # chunked anew, or until close again: either way it is seen to be whole
        self.assertEqual(reply.body, b"hello, world")
        self.assertIn(reply.kind, ("chunked", "until_close"))
        self.assertEqual(client.ended, None if reply.kind == "chunked" else "fin")

    def test_until_close_of_megabytes(self):
        def script(peer):
            peer.answer(b"HTTP/1.0 200 OK\r\n\r\n" + BIG)
            peer.close()

        self.assertTrue(self.client(self.proxy(self.server(script))).ask(GET).body == BIG)

    def test_until_close_with_an_empty_body(self):
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\n\r\n")
            peer.close()

        self.assertEqual(self.client(self.proxy(self.server(script))).ask(GET).body, b"")

    def test_body_bytes_are_forwarded_at_once(self):
        for framed in (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
            with self.subTest(framed):
                is_chunked = b"chunked" in framed

                def until_told(peer):
                    peer.read_head()
                    peer.send(framed + (b"5\r\nfirst\r\n" if is_chunked else b"first"))
                    peer.read_until(b"got it")
                    peer.send(b"5\r\nsecon\r\n0\r\n\r\n" if is_chunked else b"secon")

                client = self.client(self.proxy(self.server(until_told)))
                client.send(b"POST /up HTTP/1.1\r\nHost: git.example\r\nContent-Length: 6\r\n\r\n")
                client.read_until(b"first")
                client.send(b"got it")
                client.read_until(b"secon")

    def test_a_slow_reader_gets_every_byte(self):
        body = pattern(16 * 1024 * 1024)
        for answer in (ok(body), chunked_answer(chunked(*[body[at:at + 8000] for at in range(0, len(body), 8000)]))):
            def script(peer, answer=answer):
                peer.read_request()
                peer.sock.settimeout(None)
                peer.sock.sendall(answer)

            client = self.client(self.proxy(self.server(script)), receive_buffer=4096)
            client.send(GET)
            self.assertTrue(client.recv_response().body == body)


class NoBody(ProxyTest):
    def exchange(self, answer, method):
        server = self.server(answering(answer, ok(b"next")))
        client = self.client(self.proxy(server))
        reply = client.ask(method + b" / HTTP/1.1\r\nHost: git.example\r\n\r\n", method.decode())
        self.assertEqual(client.ask(get(b"/next")).body, b"next")
        self.assertEqual(len(server.connections), 1)
        return reply

    def test_head_with_a_length(self):
        reply = self.exchange(b"HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 12345\r\n\r\n", b"HEAD")
        self.assertEqual(reply.head.value("content-length"), b"12345")
        self.assertEqual(reply.head.value("x-a"), b"b")

    def test_head_of_a_chunked_answer(self):
        reply = self.exchange(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"HEAD")
        self.assertEqual(reply.head.values("content-length"), [])

    def test_head_without_framing(self):
        self.assertEqual(self.exchange(b"HTTP/1.1 404 Not Found\r\n\r\n", b"HEAD").status, 404)

    def test_204(self):
        reply = self.exchange(b"HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n", b"GET")
        self.assertEqual((reply.status, reply.head.value("x-a")), (204, b"b"))
        self.assertEqual(reply.head.values("content-length") + reply.head.values("transfer-encoding"), [])

    def test_304_with_a_length(self):
        reply = self.exchange(b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 99\r\n\r\n', b"GET")
        self.assertEqual((reply.status, reply.head.value("etag")), (304, b'"x"'))


class BigBodies(ProxyTest):
    def check(self, proxy):
        self.assertGreater(proxy.metrics()["breakwater_bytes_spliced_total"], len(BIG) - 200_000)

    def test_an_answer_is_spliced_from_where_the_head_s_buffer_ended(self):
        """Bytes of the body that came with the head kept the whole body out of the pipe."""
        proxy = self.proxy(self.server(always(ok(BIG))))
        self.assertEqual(self.client(proxy).ask(get(b"/large")).body, BIG)
        self.check(proxy)

    def test_an_upload_too(self):
        proxy = self.proxy(self.server(always(ok(b"thanks"))))
        client = self.client(proxy)
        client.send(b"PUT /large HTTP/1.1\r\nHost: git.example\r\nContent-Length: %d\r\n\r\n" % len(BIG) + BIG)
        self.assertEqual(client.recv_response().body, b"thanks")
        self.check(proxy)


if __name__ == "__main__":
    main()
