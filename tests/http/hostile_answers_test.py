"""Answers that are malformed or meant to harm: the client gets a 502 or a visibly short body, never another's bytes.

The connection that such an answer came on is never used again; the next request gets its own answer.
"""

import threading

from support import GET, LAST_CHUNK, ProxyTest, always, answering, get, main, ok

OK = b"HTTP/1.1 200 OK\r\n"
EVIL = ok(b"EVIL", b"X-From: a poisoned connection")
HELLO = b"Content-Length: 5\r\n\r\nhello"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

# Heads that are a fault. Nothing of them may reach the client.
HEADS = {
    "length and coding": OK + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "coding and length": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two equal lengths": OK + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "list of lengths": OK + b"Content-Length: 5, 5\r\n\r\nhello",
    "plus": OK + b"Content-Length: +5\r\n\r\nhello", "minus": OK + b"Content-Length: -5\r\n\r\nhello",
    "hex": OK + b"Content-Length: 0x5\r\n\r\nhello", "empty length": OK + b"Content-Length:\r\n\r\nhello",
    "huge length": OK + b"Content-Length: 18446744073709551621\r\n\r\nhello",
    "gzip": OK + b"Transfer-Encoding: gzip\r\n\r\nhello", "gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "identity": OK + b"Transfer-Encoding: identity\r\n\r\nhello", "xchunked": OK + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "space before colon": OK + b"Content-Length : 5\r\n\r\nhello", "underscore": OK + b"Content_Length: 5\r\nX-A: b\r\n" + HELLO,
    "folded": OK + b"X-A: b\r\n c\r\n" + HELLO, "bare LF": OK + b"X-A: b\n" + HELLO, "bare LF everywhere": b"HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
    "bare CR": OK + b"X-A: b\rc\r\n" + HELLO, "CR CR LF": OK + b"X-A: b\r\r\n" + HELLO, "NUL": OK + b"X-A: b\0\r\n" + HELLO,
    "control byte": OK + b"X-A: \x01\r\n" + HELLO, "no colon": OK + b"X-A\r\n" + HELLO, "no name": OK + b": x\r\n" + HELLO, "bad name": OK + b"X(A): b\r\n" + HELLO,
    "garbage first": b"xyzzy" + ok(b"hello"), "empty line first": b"\r\n" + ok(b"hello"), "space first": b" " + ok(b"hello"), "NUL first": b"\0" + ok(b"hello"),
    "no HTTP at all": b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/0.9": b"<html>hello</html>\r\n\r\n", "a TLS alert": b"\x15\x03\x01\x00\x02\x02\x46",
    "a request": GET, "HTTP/2": b"HTTP/2 200\r\n" + HELLO, "HTTP/2.0": b"HTTP/2.0 200 OK\r\n" + HELLO, "version 1.10": b"HTTP/1.10 200 OK\r\n" + HELLO,
    "lower case": b"http/1.1 200 OK\r\n" + HELLO, "status of two digits": b"HTTP/1.1 20 OK\r\n" + HELLO, "status of four digits": b"HTTP/1.1 2000 OK\r\n" + HELLO,
    "status 099": b"HTTP/1.1 099 X\r\n" + HELLO, "status 000": b"HTTP/1.1 000 X\r\n" + HELLO, "status with letters": b"HTTP/1.1 2x0 OK\r\n" + HELLO,
    "status with a sign": b"HTTP/1.1 +20 OK\r\n" + HELLO, "two spaces before the status": b"HTTP/1.1  200 OK\r\n" + HELLO, "no status": b"HTTP/1.1\r\n" + HELLO,
    "status 600": b"HTTP/1.1 600 X\r\n" + HELLO, "status 999": b"HTTP/1.1 999 X\r\n" + HELLO, "status with NUL": b"HTTP/1.1 2\x000 OK\r\n" + HELLO,
    "status behind a tab": b"HTTP/1.1\t200 OK\r\n" + HELLO, "status without a space": b"HTTP/1.1200 OK\r\n" + HELLO, "version 1.2": b"HTTP/1.2 200 OK\r\n" + HELLO,
    "reason with a bare CR": b"HTTP/1.1 200 O\rK\r\n" + HELLO, "reason with NUL": b"HTTP/1.1 200 O\0K\r\n" + HELLO, "reason with a control byte": b"HTTP/1.1 200 \x1b[2J\r\n" + HELLO,
    "reason behind a colon": b"HTTP/1.1 200: OK\r\n" + HELLO, "two status lines": OK + OK + HELLO, "status line without end": b"HTTP/1.1 200 " + b"a" * 20000,
    "length with a vertical tab": OK + b"Content-Length: \x0b5\r\n\r\nhello", "length with a no-break space": OK + b"Content-Length: \xa05\r\n\r\nhello",
    "length folded": OK + b"Content-Length:\r\n 5\r\n\r\nhello", "length of a fraction": OK + b"Content-Length: 5.0\r\n\r\nhello",
    "coding folded": OK + b"Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", "coding by an underscore": OK + b"Transfer_Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding empty": OK + b"Transfer-Encoding:\r\n\r\n0\r\n\r\n", "coding quoted": OK + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "coding with a vertical tab": OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "chunked, identity": OK + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "coding behind a bare LF": OK + b"X-A: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "space in a name": OK + b"X A: b\r\n" + HELLO,
    "line of spaces": OK + b"  \r\n" + HELLO, "LF CR": b"HTTP/1.1 200 OK\n\r" + HELLO, "DEL": OK + b"X-A: \x7f\r\n" + HELLO, "chunked 204": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked 204 with a body": b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n",
    "head of 20000 bytes": OK + b"X-A: " + b"a" * 20000 + b"\r\n" + HELLO, "200 fields": OK + b"X-A: b\r\n" * 200 + HELLO,
    "head without end": OK + b"X-A: b\r\n" * 4000,
}

# Cut off and then closed by the server.
CUT = {
    "nothing": b"", "half a status line": b"HTTP/1.1 20", "half a head": OK + b"Content-Len", "a head without its blank line": OK + b"Content-Length: 5\r\n",
    "only a 100": b"HTTP/1.1 103 Early Hints\r\n\r\n",
}

# Chunks that are a fault after b"5\r\nhello\r\n".
CHUNKS = {
    "plus": b"+5\r\nEVIL!\r\n0\r\n\r\n", "minus": b"-5\r\nEVIL!\r\n0\r\n\r\n", "hex prefix": b"0x5\r\nEVIL!\r\n0\r\n\r\n", "space": b" 5\r\nEVIL!\r\n0\r\n\r\n",
    "no hex": b"zz\r\nEVIL!\r\n0\r\n\r\n", "empty": b"\r\nEVIL!\r\n0\r\n\r\n", "overflow": b"10000000000000005\r\nEVIL!\r\n0\r\n\r\n", "bare LF": b"5\nEVIL!\r\n0\r\n\r\n",
    "bare LF after zero": b"0\n\r\n", "bare CR in an extension": b"5;a\rb\r\nEVIL!\r\n0\r\n\r\n",
    "endless extension": b"5;" + b"a" * 4000 + b"\r\nEVIL!\r\n0\r\n\r\n", "folded trailer": b"0\r\nX-A: b\r\n c\r\n\r\n", "NUL in a trailer": b"0\r\nX-A: \0\r\n\r\n",
    "NUL in a size": b"5\0\r\nEVIL!\r\n0\r\n\r\n", "space after": b"5 \r\nEVIL!\r\n0\r\n\r\n", "16 digits": b"0000000000000005\r\nEVIL!\r\n0\r\n\r\n",
    "negative by its bits": b"ffffffffffffffff\r\nEVIL!\r\n0\r\n\r\n", "CR CR LF": b"5\r\r\nEVIL!\r\n0\r\n\r\n", "LF in an extension": b"5;a\nb\r\nEVIL!\r\n0\r\n\r\n",
    "trailer without a colon": b"0\r\nX-A\r\n\r\n", "space before a trailer's colon": b"0\r\nX-A : b\r\n\r\n", "trailer by an underscore": b"0\r\nContent_Length: 5\r\n\r\n",
    "bare LF ends a trailer": b"0\r\nX-A: b\n\r\n", "bare LF ends the trailers": b"0\r\nX-A: b\r\n\n",
    "endless trailer": b"0\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n", "another answer in place of a chunk": EVIL,
}


class HostileAnswers(ProxyTest):
    def start(self, script):
        """A server whose first connection is hostile and whose others are not, and a client that asks."""
        self.backend = self.server(script, always(ok(b"own answer")))
        self.breakwater = self.proxy(self.backend)
        self.asking = self.client(self.breakwater)

    def check_next(self):
        """The hostile connection has ended, and the next client gets its own answer from another one."""
        self.backend.connection(0).wait_end()
        self.assertEqual(self.client(self.breakwater).ask(get(b"/next")).body, b"own answer")
        self.assertEqual(len(self.backend.connection(0).requests), 1)
        self.assertEqual(self.backend.connection(1).requests[0].head_without_ours, get(b"/next"))

    def test_malformed_heads(self):
        for name, answer in HEADS.items():
            with self.subTest(name):
                self.start(lambda peer, answer=answer: (peer.read_request(), peer.try_send(answer)))
                self.asking.send(GET)
                reply = self.asking.recv_response()
                entry = self.assert_own_reply(self.breakwater, reply, 502)
                self.assertEqual(entry["ended_by"], "server")
                self.check_next()
                self.assertEqual(bytes(self.asking.record), reply.head.raw + reply.body)
                self.assertEqual(self.backend.connection(0).requests[0].head_without_ours, GET)

    def test_what_follows_an_interim_answer_is_an_answer_or_a_fault(self):
        interim = b"HTTP/1.1 103 Early Hints\r\n"
        for behind in (b"Content-Length: 5\r\n\r\nhello" + EVIL, b"\r\nEVIL" + EVIL, b"\r\n\r\n" + EVIL, b"\r\n" + GET):
            with self.subTest(behind):
                self.start(answering(interim + behind))
                self.asking.send(GET)
                self.assertEqual(self.asking.recv_head().raw, interim + b"\r\n")
                reply = self.asking.recv_response()
                self.assert_own_reply(self.breakwater, reply, 502)
                self.check_next()
                self.assertEqual(bytes(self.asking.record), interim + b"\r\n" + reply.head.raw + reply.body)

    def test_a_switch_of_protocols_has_no_body(self):
        ask = get(b"/ws", b"Connection: Upgrade", b"Upgrade: websocket")
        switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        self.start(answering(switch + b"Transfer-Encoding: chunked\r\n\r\n4\r\nEVIL\r\n0\r\n\r\n"))
        self.asking.send(ask)
        self.assert_own_reply(self.breakwater, self.asking.recv_response(), 502)
        self.assertNotIn(b"EVIL", self.asking.record)
        self.start(answering(switch + b"Content-Length: 4\r\n\r\n0\r\n\r"))
        self.asking.send(ask)
        self.assertEqual(self.asking.recv_head().raw, switch + b"\r\n")
        self.assertEqual(self.asking.recv_exact(4), b"0\r\n\r")

    def test_lengths_with_leading_zeros_go_on_without(self):
        not_modified = b"HTTP/1.1 304 Not Modified\r\n"
        for method, head, came, goes, body in ((b"GET", OK, b"0005", b"5", b"hello"), (b"GET", OK, b"000", b"0", b""),
                                               (b"HEAD", OK, b"0010", b"10", b""), (b"GET", not_modified, b"010", b"10", b"")):
            with self.subTest(method + came):
                end = b"\r\n\r\n" + body
                client = self.client(self.proxy(self.server(answering(head + b"Content-Length: " + came + end))))
                client.ask(method + b" / HTTP/1.1\r\nHost: git.example\r\n\r\n", method.decode())
                self.assertEqual(bytes(client.record), head + b"Content-Length: " + goes + end)

    def test_malformed_heads_to_a_head_request(self):
        for name in ("length and coding", "two lengths", "bare LF", "garbage first"):
            with self.subTest(name):
                self.start(answering(HEADS[name]))
                self.asking.send(b"HEAD / HTTP/1.1\r\nHost: git.example\r\n\r\n")
                self.assertEqual(self.asking.recv_response("HEAD").status, 502)
                self.check_next()

    def test_answers_cut_off(self):
        for name, answer in CUT.items():
            with self.subTest(name):
                self.start(lambda peer, answer=answer: (peer.answer(answer), peer.close()))
                self.asking.send(GET)
                head = self.asking.recv_head()
                if head.status == 103:
                    head = self.asking.recv_head()
                reply = self.asking.read_body(head)
                entry = self.assert_own_reply(self.breakwater, reply, 502)
                self.assertEqual(entry["ended_by"], "server")
                self.assertEqual(len(self.backend.connections), 1)  # a fresh connection's failure is not tried again

    def check_all_that_came(self, wanted):
        """The client got these bytes, then the end of its connection once it had nothing more to say: never a byte more."""
        self.asking.half_close()
        self.asking.read_until_end_keeping()
        self.assertEqual((bytes(self.asking.record), self.asking.ended), (wanted, "fin"))
        self.check_next()

    def test_bytes_after_a_length_body_are_nobodys(self):
        for answer, behind in ((ok(b"hello"), b"X"), (ok(b"hello"), EVIL), (ok(b""), EVIL), (ok(b"hello"), b"\r\n")):
            with self.subTest(answer + behind):
                self.start(answering(answer + behind))
                self.asking.send(GET)
                self.check_all_that_came(answer)

    def test_bytes_after_the_last_chunk_are_nobodys(self):
        answer = CHUNKED + b"5\r\nhello\r\n" + LAST_CHUNK
        for behind in (b"X", EVIL):
            with self.subTest(behind):
                self.start(answering(answer + behind))
                self.asking.send(GET)
                self.check_all_that_came(answer)

    def test_a_body_where_none_may_be(self):
        no_content, not_modified = b"HTTP/1.1 204 No Content\r\n", b"HTTP/1.1 304 Not Modified\r\n"
        length, coding = b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n"
        chunks = b"4\r\nEVIL\r\n" + LAST_CHUNK
        # The method, what comes as head and behind it, and the head that goes on.
        answers = {
            "204 with a body": (b"GET", no_content, b"EVIL", no_content),
            "204 with a length": (b"GET", no_content + length, b"EVIL", no_content),
            "204 with an answer": (b"GET", no_content, EVIL, no_content),
            "304 with a body": (b"GET", not_modified + length, b"EVIL", not_modified + length),
            "304 chunked": (b"GET", not_modified + coding, chunks, not_modified),
            "304 with an answer": (b"GET", not_modified, EVIL, not_modified),
            "HEAD with chunks": (b"HEAD", OK + coding, chunks, OK),
            "HEAD with a body": (b"HEAD", OK + length, b"EVIL", OK + length),
            "HEAD with an answer": (b"HEAD", OK + length, EVIL, OK + length),
        }
        for name, (method, head, behind, goes) in answers.items():
            with self.subTest(name):
                self.start(answering(head + b"\r\n" + behind))
                self.asking.send(method + b" / HTTP/1.1\r\nHost: git.example\r\n\r\n")
                self.check_all_that_came(goes + b"\r\n")

    def test_the_same_client_gets_its_own_next_answer_too(self):
        for answer in (ok(b"hello"), b"HTTP/1.1 204 No Content\r\n\r\n"):
            with self.subTest(answer):
                self.start(answering(answer + EVIL))
                self.asking.send(get(b"/1") + get(b"/2"))
                self.asking.read_until_seen(b"own answer")
                self.assertEqual(bytes(self.asking.record), answer + ok(b"own answer"))

    def check_broken_body(self, beginning, fault):
        """A client that has seen nothing yet is told; one that has the beginning must see that it was cut."""
        with self.subTest((beginning, fault), come="in one piece"):
            self.start(answering(CHUNKED + beginning + fault))
            self.assertEqual(self.asking.ask(GET).head.status, 502)
            self.assertNotIn(b"EVIL", self.asking.record)
            self.check_next()
        with self.subTest((beginning, fault), come="in two pieces"):
            begun = threading.Event()

            def script(peer):
                peer.answer(CHUNKED + beginning)
                begun.wait(5)
                peer.send(fault)

            self.start(script)
            self.asking.send(GET)
            while b"hel" not in self.asking.record:
                self.asking.fill()
            begun.set()
            head, _ = self.asking.recv_aborted()
            self.assertEqual(head.status, 200)
            self.assertNotIn(b"EVIL", self.asking.record)
            self.assertFalse(bytes(self.asking.record).endswith(LAST_CHUNK))
            self.check_next()

    def test_malformed_chunks_cut_the_body(self):
        for fault in CHUNKS.values():
            self.check_broken_body(b"5\r\nhello\r\n", fault)

    def test_missing_line_ends_in_chunks_cut_the_body(self):
        for fault in (b"5\r\nEVIL!\r\n0\r\n\r\n", b"\n0\r\n\r\n", b"\r0\r\n\r\n"):
            self.check_broken_body(b"5\r\nhello", fault)
        self.check_broken_body(b"3\r\nhel", b"lo\r\n0\r\n\r\n")

    def test_bytes_on_an_idle_pooled_connection_end_it(self):
        for poison in (EVIL, b"X", b"\r\n", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"):
            with self.subTest(poison):
                def script(peer, poison=poison):
                    peer.answer(ok(b"first"))
                    self.asking.answered.wait(5)
                    peer.send(poison)

                self.start(script)
                self.asking.answered = threading.Event()
                self.assertEqual(self.asking.ask(GET).body, b"first")
                self.asking.answered.set()
                self.check_next()
                self.assertEqual(self.asking.ask(get(b"/again")).body, b"own answer")
                self.assertNotIn(b"EVIL", self.asking.record)

    def test_a_flood_of_interim_answers_has_an_end(self):
        def script(peer):
            peer.read_request()
            while peer.try_send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100):
                pass

        self.start(script)
        self.asking.send(GET)
        while b"HTTP/1.1 502 " not in self.asking.record and self.asking.fill():
            self.assertLess(len(self.asking.record), 8 * 1024 * 1024, "interim answers without end")
        self.assertIn(b"HTTP/1.1 502 ", self.asking.record)
        self.check_next()
        self.assertEqual(self.breakwater.metrics()["breakwater_requests_refused_total"], 1)


if __name__ == "__main__":
    main()
