"""Large bodies, which go through a pipe: what passes unseen, what must not, and what splice(2) will not take."""

import socket
import threading

from support import ProxyTest, always, main, ok, pattern

LARGE = 600_000
SPLICED = "breakwater_bytes_spliced_total"


def in_chunks(data, size):
    return b"".join(b"%X\r\n%s\r\n" % (len(part), part) for part in (data[at:at + size] for at in range(0, len(data), size)))


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


if __name__ == "__main__":
    main()
