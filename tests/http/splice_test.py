"""Large bodies, which go through a pipe: what passes unseen, what must not, and what splice(2) will not take."""

import re
import socket
import threading

import hostile_answers_test
import refused_requests_test
from support import LAST_CHUNK, Head, ProxyTest, always, get, git_post, main, ok, pattern

LARGE = 600_000
BEHIND = pattern(1_500_000)  # what stands behind it comes when most of it was spliced
SIZES = (8000, 65536, 400_000)  # of chunks: the first are looked at all through, of the others only the lines
SPLICED = "breakwater_bytes_spliced_total"


def in_chunks(data, size):
    return b"".join(b"%X\r\n%s\r\n" % (len(part), part) for part in (data[at:at + size] for at in range(0, len(data), size)))


def cut_body(framed):
    """The payload of a chunked body that was cut off, read strictly: an error if it looks whole."""
    payload, at = bytearray(), 0
    while True:
        end = framed.find(b"\r\n", at)
        line = framed[at:end] if end >= 0 else framed[at:].removesuffix(b"\r")
        assert re.fullmatch(rb"[0-9A-Fa-f]*", line) and (line or end < 0), f"not a chunk size: {line[:100]!r}"
        if end < 0:
            return payload
        size, data = int(line, 16), end + 2
        assert size > 0, "the body looks whole"
        payload += framed[data:data + size]
        at = data + size + 2
        if at > len(framed):
            return payload
        assert framed[at - 2:at] == b"\r\n", f"a chunk without its CRLF: {framed[at - 22:at]!r}"


class Spliced(ProxyTest):
    def test_an_uploads_chunk_lines_are_never_passed_as_they_came(self):
        # Their sender may be on this machine, and could still change them in its own pages.
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        body = pattern(LARGE)
        sizes = (65530, 9000, 100, 4096, 3, 65530)
        client = self.client(proxy)
        client.send(b"POST /team/app.git/git-receive-pack HTTP/1.1\r\nHost: git.example\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    b"".join(in_chunks(body, size) for size in sizes) + b"0\r\nX-Sum: 1\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"x")
        self.assertEqual(server.requests[0].body, body * len(sizes))
        self.assertNotIn(b"FFFA\r\n", server.received)
        self.assertGreater(proxy.metrics()[SPLICED], 1_000_000)

    def test_a_chunk_line_that_comes_in_two_pieces_does_not_end_it(self):
        body = pattern(LARGE) * 8
        cut = threading.Event()

        def script(peer):
            peer.read_request()
            message = in_chunks(body, 65536) + b"0\r\n\r\n"
            at = message.index(b"10000\r\n", LARGE) + 3  # in the middle of a line
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + message[:at])
            cut.wait(10)
            peer.send(message[at:])

        proxy = self.proxy(self.server(script))
        client = self.client(proxy)
        client.send(b"GET / HTTP/1.1\r\nHost: git.example\r\n\r\n")
        client.read_head()
        while client.fill() and proxy.metrics()["breakwater_bytes_to_clients_total"] < LARGE:
            pass
        cut.set()
        while not client.buffer.endswith(b"\r\n0\r\n\r\n"):
            self.assertTrue(client.fill())
        self.assertGreater(proxy.metrics()[SPLICED], 3_000_000)

    def test_urgent_data_does_not_make_it_spin(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        body = pattern(LARGE)
        client = self.client(proxy)
        client.send(b"PUT /lfs HTTP/1.1\r\nHost: git.example\r\nContent-Length: %d\r\n\r\n" % LARGE + body[:300_000])
        client.sock.send(b"!", socket.MSG_OOB)  # beside the stream (tcp(7)): no byte of the body
        client.send(body[300_000:])
        self.assertEqual(client.recv_response().body, b"x")
        self.assertEqual(server.requests[0].body, body)
        self.assertLess(proxy.metrics()["breakwater_ring_enters_total"], 2000)

    def test_an_answer_that_leaves_with_the_end_survives_bytes_that_nobody_asked_for(self):
        go = threading.Event()

        def script(peer):
            peer.read_request()
            go.wait(10)
            peer.send(ok(b"the answer"))

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(b"GET / HTTP/1.1\r\nHost: git.example\r\nConnection: close\r\n\r\n")
        server.connection(0).wait_requests(1)
        client.send(b"\r\nGET /2 HTTP/1.1\r\n")
        go.set()
        self.assertEqual(client.recv_response().body, b"the answer")


class Faults(ProxyTest):
    """A chunked body that goes wrong when a pipe has long carried it: what was right goes on, then nothing does, and it is cut."""

    def check_each(self, cases, check):
        """Behind chunks of each size, at once (else `is_apart`: when all of them have gone on)."""
        for size in SIZES:
            for is_apart in (False, True):
                for name, case in cases.items():
                    with self.subTest(name, size=size, is_apart=is_apart):
                        check(case, in_chunks(BEHIND, size), is_apart)

    def check_spliced(self):
        """Most of the last body was, so the fault came to where that is done."""
        spliced = self.breakwater.metrics()[SPLICED]
        self.assertGreater(spliced - self.spliced, len(BEHIND) // 2)
        self.spliced = spliced

    def check_payload(self, record, is_apart, right=b""):
        """It is the beginning of what stood before the fault, or all of it and maybe what of the fault itself is `right`."""
        head, mark, body = bytes(record).partition(b"\r\n\r\n")
        self.assertEqual(Head(head + mark).framing()[0], "chunked")
        payload = cut_body(body)
        self.assertTrue((BEHIND + right).startswith(payload), payload[-200:])
        if is_apart:
            self.assertGreaterEqual(len(payload), len(BEHIND))

    def start(self, script):
        self.backend = self.server(script)
        self.breakwater = self.proxy(self.backend)
        self.spliced = 0

    def test_in_an_upload(self):
        self.start(always(ok(b"served")))
        self.check_each(refused_requests_test.BODIES, self.check_upload)

    def check_upload(self, case, chunks, is_apart):
        fault, reason = case
        number = len(self.backend.connections)
        client = self.client(self.breakwater)
        client.send(git_post("receive-pack") + chunks)
        peer = self.backend.connection(number)
        if is_apart:
            peer.wait_received(BEHIND[-8:])
        client.try_send(fault + b"4\r\nEVIL\r\n" + LAST_CHUNK + refused_requests_test.SMUGGLED)
        entry = self.assert_own_reply(self.breakwater, client.recv_response(), 400, "any")
        self.assertEqual(entry["reason"], "client malformed: " + refused_requests_test.SENTENCE[reason])
        client.close()
        self.assertEqual(peer.wait_end(), "reset")
        self.check_payload(peer.record, is_apart, right=b"hello\r\n0\r\n")
        self.assertEqual(peer.requests, [])
        self.check_spliced()

    def test_in_an_answer(self):
        def script(peer):
            while b"/next" in peer.read_request().head.start_line:
                peer.send(ok(b"own answer"))
            peer.send(self.right)
            self.go_on.wait(10)
            peer.try_send(self.wrong)

        self.start(script)
        self.check_each(hostile_answers_test.CHUNKS, self.check_answer)

    def check_answer(self, fault, chunks, is_apart):
        self.right, self.wrong = hostile_answers_test.CHUNKED + chunks, fault
        self.go_on = threading.Event()
        if not is_apart:
            self.right, self.wrong = self.right + fault, b""
            self.go_on.set()
        client = self.client(self.breakwater)
        client.send(get(b"/fault"))
        if is_apart:
            client.read_until_seen(BEHIND[-8:])
            self.go_on.set()
        client.read_until_end_keeping()
        client.close()
        entry = self.breakwater.wait_for_log(lambda entry: entry["client"] == client.address)
        self.assertEqual((entry["status"], entry["ended_by"], entry["phase"]), (200, "server", "response_body"))
        self.check_payload(client.record, is_apart)
        self.check_spliced()
        next_one = self.client(self.breakwater)
        self.assertEqual(next_one.ask(get(b"/next")).body, b"own answer")
        next_one.close()


if __name__ == "__main__":
    main()
