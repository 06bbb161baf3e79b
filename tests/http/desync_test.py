"""Requests that are right, and that careless parsers read as two, or as none: the exact bytes that the server gets.

What may not pass at all is in refused_requests_test.py. Here a request passes, and with it nothing that the server could take
for another one: bodies stay bodies, framing is ours, and the request that follows on the client's connection arrives whole.
"""

import re
import threading

from support import ProxyTest, always, answering, chunked, get, main, ok

NEXT = get(b"/next")
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: git.example\r\n\r\n"
LENGTH = b"Content-Length: %d" % len(SMUGGLED)
OURS = re.compile(rb"(X-Forwarded-(For|Proto|Host)|X-Request-Id): [^\r\n]*\r\n")


def request(method, *fields, body=b"", version=b"1.1"):
    return b"\r\n".join([method + b" /x HTTP/" + version, b"Host: git.example", *fields]) + b"\r\n\r\n" + body


def in_chunks(method, body, *fields):
    return request(method, *fields, b"Transfer-Encoding: chunked", body=body)


FRAMED = chunked(SMUGGLED)

# Name: what the client sends, and what the server gets of it; None: the same bytes.
PASSES = {
    # CL.0 and 0.CL: a length counts whatever the method is, and whatever stands beside it.
    **{method.decode() + " with a length": (request(method, LENGTH, body=SMUGGLED), None)
       for method in (b"GET", b"HEAD", b"OPTIONS", b"DELETE", b"POST", b"PUT", b"PATCH", b"PROPFIND", b"get")},
    **{method.decode() + " in chunks": (in_chunks(method, FRAMED), None) for method in (b"GET", b"HEAD", b"DELETE", b"POST", b"get")},
    "length zero": (request(b"POST", b"Content-Length: 0"), None),
    "length of white space around": (request(b"POST", b"Content-Length:\t%d  " % len(SMUGGLED), body=SMUGGLED),
                                     request(b"POST", LENGTH, body=SMUGGLED)),
    "length with leading zeros": (request(b"POST", b"Content-Length: 000%d" % len(SMUGGLED), body=SMUGGLED), request(b"POST", LENGTH, body=SMUGGLED)),
    "length of zeros": (request(b"POST", b"Content-Length: 000"), request(b"POST", b"Content-Length: 0")),
    "length nominated by Connection": (request(b"POST", LENGTH, b"Connection: content-length", body=SMUGGLED), request(b"POST", LENGTH, body=SMUGGLED)),
    "length among names that look like it": (
        request(b"POST", b"X-Content-Length: 0", b"Content-Lengths: 0", b"Content-Length-: 0", LENGTH, b"Content: Length: 0", body=SMUGGLED), None),
    "length of HTTP/1.0": (request(b"POST", b"Connection: keep-alive", LENGTH, body=SMUGGLED, version=b"1.0"), request(b"POST", LENGTH, body=SMUGGLED)),
    # TE.TE: one coding, spelled by us.
    "coding in capitals": (request(b"POST", b"TRANSFER-ENCODING: ChUnKeD", body=FRAMED), in_chunks(b"POST", FRAMED)),
    "coding with white space around": (request(b"POST", b"Transfer-Encoding:\t chunked\t ", body=FRAMED), in_chunks(b"POST", FRAMED)),
    "coding without white space": (request(b"POST", b"Transfer-Encoding:chunked", body=FRAMED), in_chunks(b"POST", FRAMED)),
    "coding nominated by Connection": (request(b"POST", b"Connection: Transfer-Encoding", b"Transfer-Encoding: chunked", body=FRAMED), in_chunks(b"POST", FRAMED)),
    "coding among names that look like it": (in_chunks(b"POST", FRAMED, b"X-Transfer-Encoding: gzip", b"Transfer-Encodings: x", b"Transfer-Encoding-: x"), None),
    "a content coding called chunked": (request(b"POST", b"Content-Encoding: chunked", LENGTH, body=SMUGGLED), None),
    "a TE field": (in_chunks(b"POST", FRAMED, b"TE: chunked, trailers"), in_chunks(b"POST", FRAMED)),
    # Chunks are cut anew.
    "sizes with zeros and in capitals": (in_chunks(b"POST", b"0000%X\r\n%s\r\n00\r\n\r\n" % (len(SMUGGLED), SMUGGLED)), in_chunks(b"POST", FRAMED)),
    "a request in an extension": (in_chunks(b"POST", b"5;GET /smuggled HTTP/1.1\r\nhello\r\n0;x=\"\xff y\"\r\n\r\n"), in_chunks(b"POST", chunked(b"hello"))),
    "the end of a body as payload": (in_chunks(b"POST", chunked(b"0\r\n\r\n" + SMUGGLED)), None),
    "trailers that smuggle": (
        in_chunks(b"POST", chunked(b"hello", trailers=[b"Content-Length: 5", b"Transfer-Encoding: x", b"Host: evil", b"X-Sum: 1", b"Connection: close",
                                                       b"X-Forwarded-For: 6.6.6.6", b"Expect: 100-continue", b"Trailer: x"]), b"Trailer: Content-Length"),
        in_chunks(b"POST", chunked(b"hello", trailers=[b"X-Sum: 1"]))),
    # Expectations: only 100-continue is one, and no spelling of it moves the body.
    "an expectation of something else": (request(b"POST", b"Expect: x-100-continue", LENGTH, body=SMUGGLED), None),
    "an expectation with an addition": (request(b"POST", b"Expect: y 100-continue", LENGTH, body=SMUGGLED), None),
    "an expectation of a GET": (request(b"GET", b"Expect: 100-continue", LENGTH, body=SMUGGLED), None),
    "an expectation of HTTP/1.0": (request(b"POST", b"Expect: 100-continue", b"Connection: keep-alive", LENGTH, body=SMUGGLED, version=b"1.0"), "any"),
    # What asks for another protocol, or another method.
    "HTTP/2 in the clear": (request(b"GET", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"HTTP2-Settings: AAMA", LENGTH, body=SMUGGLED),
                            request(b"GET", LENGTH, body=SMUGGLED)),
    "a WebSocket with a body": (request(b"GET", b"Connection: Upgrade", b"Upgrade: websocket", LENGTH, body=SMUGGLED), request(b"GET", LENGTH, body=SMUGGLED)),
    "a method in a field": (request(b"GET", b"X-HTTP-Method-Override: PUT", LENGTH, body=SMUGGLED), None),
    # Line ends that are no framing.
    "an empty line first": (b"\r\n" + request(b"POST", LENGTH, body=SMUGGLED), request(b"POST", LENGTH, body=SMUGGLED)),
    "line ends and NUL in a body": (request(b"POST", b"Content-Length: 10", body=b"\r\n\r\n\0\n\r\n\r\0"), None),
    "escaped line ends in a target": (b"GET /x%0d%0aHost:%20evil%0d%0a%0d%0a HTTP/1.1\r\nHost: git.example\r\n\r\n", None),
    "a name and a port as a target": (b"GET //evil.example:80/x HTTP/1.1\r\nHost: git.example\r\n\r\n", None),
    "an absolute-form beside another host": (b"GET http://other.example/x HTTP/1.1\r\nHost: git.example\r\n\r\n",
                                             b"GET /x HTTP/1.1\r\nHost: other.example\r\n\r\n"),
}


def seen(peer):
    """Every byte that the server got on a connection, less the fields that the proxy adds."""
    return OURS.sub(b"", bytes(peer.record))


class Passes(ProxyTest):
    def check(self, sent, expected, pieces):
        server = self.server(always(ok(b"served")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        for piece in pieces(sent + NEXT):
            client.send(piece)
        method = sent.lstrip().split(b" ")[0].decode()
        for each in (method, "GET"):
            reply = client.recv_response(each)
            self.assertEqual((reply.status, reply.body), (200, b"" if each == "HEAD" else b"served"))
        self.assertEqual(bytes(client.buffer), b"")
        proxy.stop()
        for peer in server.connections:
            peer.wait_end()
        # A request that may be sent again takes a pooled connection, another does not: one or two of them, in that order.
        got = b"".join(seen(peer) for peer in server.connections)
        if expected == "any":
            self.assertEqual([message.body for message in server.requests], [SMUGGLED, b""])
            self.assertTrue(got.endswith(SMUGGLED + NEXT))
        else:
            self.assertEqual(got, (expected or sent) + NEXT)

    def test_at_once(self):
        for name, (sent, expected) in PASSES.items():
            with self.subTest(name):
                self.check(sent, expected, lambda data: [data])

    def test_a_byte_at_a_time(self):
        for name in ("GET with a length", "POST in chunks", "sizes with zeros and in capitals", "a request in an extension", "trailers that smuggle"):
            with self.subTest(name):
                sent, expected = PASSES[name]
                # Chunks go on as they come, so only what is framed by a length is the same in pieces.
                if name == "GET with a length":
                    self.check(sent, expected, lambda data: [data[at:at + 1] for at in range(len(data))])
                    continue
                server = self.server(always(ok(b"served")))
                client = self.client(self.proxy(server))
                for at in range(len(sent)):
                    client.send(sent[at:at + 1])
                self.assertEqual(client.recv_response().body, b"served")
                self.assertEqual(client.ask(NEXT).body, b"served")
                self.assertEqual(len(server.requests), 2)
                self.assertEqual(server.requests[1].head_without_ours, NEXT)


class Ends(ProxyTest):
    """Behind what ends a client's connection nothing is a request."""

    def check(self, sent, behind):
        server = self.server(always(ok(b"served")))
        client = self.client(self.proxy(server))
        client.send(sent + behind)
        self.assertEqual(client.recv_response().body, b"served")
        client.shutdown_write()
        self.assertEqual(client.read_until_end(), b"")
        self.assertEqual(len(server.connections), 1)
        self.assertEqual(seen(server.connection(0)).count(b" HTTP/1.1\r\n"), 1)
        self.assertNotIn(b"smuggled", server.received)

    def test_a_request_that_asks_to_close(self):
        for value in (b"close", b"Close", b"keep-alive, close", b",close,"):
            with self.subTest(value):
                self.check(request(b"GET", b"Connection: " + value), SMUGGLED)

    def test_one_of_http_1_0(self):
        self.check(request(b"GET", version=b"1.0"), SMUGGLED)
        self.check(request(b"POST", b"Content-Length: 5", body=b"hello", version=b"1.0"), SMUGGLED)

    def test_one_of_two_that_is_refused(self):
        server = self.server(always(ok(b"served")))
        client = self.client(self.proxy(server))
        client.send(NEXT + request(b"POST", b"Content-Length: 5", b"Transfer-Encoding: chunked", body=b"0\r\n\r\n") + SMUGGLED)
        self.assertEqual(client.recv_response().body, b"served")
        self.assertEqual(client.recv_response().status, 400)
        client.shutdown_write()
        self.assert_closed(client)
        self.assertEqual(seen(server.connection(0)), NEXT)


class CarelessServers(ProxyTest):
    """A server that takes a body for the next request answers twice. Nobody gets the second answer."""

    EVIL = ok(b"EVIL", b"X-From: a smuggled request")

    def check_next(self, server, proxy):
        server.connection(0).wait_end()
        self.assertEqual(self.client(proxy).ask(NEXT).body, b"own answer")
        self.assertEqual(seen(server.connection(1)), NEXT)

    def test_one_that_ignores_lengths(self):
        for sent in (request(b"POST", LENGTH, body=SMUGGLED), request(b"GET", LENGTH, body=SMUGGLED)):
            with self.subTest(sent):
                def script(peer):
                    peer.read_head()
                    peer.send(ok(b"first"))
                    self.assertEqual(peer.read_head().start_line, b"GET /smuggled HTTP/1.1")
                    peer.send(self.EVIL)

                server = self.server(script, always(ok(b"own answer")))
                proxy = self.proxy(server)
                client = self.client(proxy)
                self.assertEqual(client.ask(sent).body, b"first")
                self.check_next(server, proxy)
                self.assertNotIn(b"EVIL", client.record)
                self.assertEqual(seen(server.connection(0)), sent)

    def test_one_that_ignores_the_body_of_a_method_that_has_none(self):
        """Its connection was used again, and the next client's request got the answer to the one in the body."""
        for method in (b"GET", b"HEAD", b"DELETE", b"OPTIONS"):
            for sent in (request(method, LENGTH, body=SMUGGLED), in_chunks(method, FRAMED)):
                with self.subTest(sent):
                    def script(peer):
                        peer.read_request()  # it sees the body, but keeps still until somebody else asks
                        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                        peer.read_head()
                        peer.send(self.EVIL)

                    server = self.server(script, always(ok(b"own answer")))
                    proxy = self.proxy(server)
                    client = self.client(proxy)
                    client.ask(sent, method.decode())
                    self.check_next(server, proxy)
                    self.assertEqual(client.ask(NEXT).body, b"own answer")  # the client's own connection goes on
                    self.assertEqual(seen(server.connection(0)), sent)

    def test_one_that_answers_before_the_body_and_takes_that_for_a_request(self):
        """Its connection was used again, and the next client's request got the answer to the one in the body."""
        def script(peer):
            peer.read_head()
            peer.send(ok(b"early"))
            self.assertEqual(peer.read_head().start_line, b"GET /smuggled HTTP/1.1")
            taken.set()
            peer.read_head()  # of the next client
            peer.send(self.EVIL)

        taken = threading.Event()
        server = self.server(script, always(ok(b"own answer")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(request(b"POST", LENGTH))
        self.assertEqual(client.recv_response().body, b"early")
        client.send(SMUGGLED)
        self.assertTrue(taken.wait(5))
        self.check_next(server, proxy)
        self.assertEqual(client.ask(NEXT).body, b"own answer")  # the client's own connection goes on
        self.assertEqual(seen(server.connection(0)), request(b"POST", LENGTH, body=SMUGGLED))

    def test_one_that_answers_an_expectation_and_then_the_body(self):
        def script(peer):
            peer.read_head()
            peer.send(ok(b"no body wanted"))
            peer.read_until_end()

        server = self.server(script, always(ok(b"own answer")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(request(b"POST", b"Expect: 100-continue", LENGTH))
        self.assertEqual(client.recv_response().body, b"no body wanted")
        client.try_send(SMUGGLED)
        client.shutdown_write()
        self.assertEqual(client.read_until_end(), b"")
        self.check_next(server, proxy)
        self.assertNotIn(b"EVIL", client.record)


if __name__ == "__main__":
    main()
