"""What a request holds while it lasts must not be what the next one needs: buffers for answers and for bodies, room for heads.

With the defaults 256 answers that went on for long stopped a core, and its healthy server was put out for it; 512 uploads made
every further request end in a reset; 128 clients with one byte behind a chunked body stopped all other bodies.
"""

import socket

from support import LOOPBACK, ProxyTest, always, chunked, get, main, ok

LONG = {
    b"/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    b"/length": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhello",
    b"/head": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
    b"/tunnel": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
}
CHUNKED_POST = b"POST /x HTTP/1.1\r\nHost: git.example\r\nTransfer-Encoding: chunked\r\n\r\n"


def answer_by_path(peer):
    while True:
        path = peer.read_request().head.start_line.split()[1]
        peer.send(LONG.get(path, ok(b"fine")))
        if path in LONG:
            peer.read_until_end()
            return


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.listener = socket.create_server((LOOPBACK, 0), backlog=1024)
        self.address = "{}:{}".format(*self.listener.getsockname())

    def close(self):
        self.listener.close()

    def check(self):
        pass


class Held(ProxyTest):
    def leave(self):
        """At once: who only ends would be waited for."""
        for client in self.clients:
            client.reset()
        self.clients.clear()

    def test_long_answers_leave_the_buffers_for_answers_to_others(self):
        for path in LONG:
            with self.subTest(path):
                proxy = self.proxy(self.server(answer_by_path), tables="[limits]\nhead_buffers = 64\n")
                buffers = proxy.metrics()["breakwater_answer_buffers_free"]
                self.assertEqual(buffers, 16)
                for _ in range(20):
                    client = self.client(proxy)
                    client.send(get(path, b"Connection: Upgrade", b"Upgrade: websocket"))
                    client.read_until(b"\r\n\r\n")
                self.assertEqual(self.client(proxy).ask(get(b"/fine")).body, b"fine")
                self.assertEqual(proxy.metrics()["breakwater_answer_buffers_free"], buffers)
                self.leave()

    def test_uploads_leave_the_room_for_heads_to_others(self):
        server = self.keep(Silent())
        proxy = self.proxy(server)
        for _ in range(520):
            client = self.client(proxy)
            client.send(b"POST /u HTTP/1.1\r\nHost: git.example\r\nContent-Length: 1000000\r\n\r\nabc")
        self.wait_until(lambda: proxy.metrics()["breakwater_exchanges_active"] >= 520, "uploads are missing")
        # A reply of ours needs room for its head as well.
        self.assertEqual(self.client(proxy).ask(b"GET nowhere HTTP/1.1\r\nHost: git.example\r\n\r\n").status, 400)
        self.leave()

    def pin(self, behind):
        """Eight clients that have sent a chunked body, and `behind` after it; there are eight buffers for bodies."""
        proxy = self.proxy(self.server(answer_by_path), tables="[limits]\nbulk_buffers = 8\n")
        pins = [self.client(proxy) for _ in range(8)]
        for client in pins:
            client.send(CHUNKED_POST)
        self.wait_until(lambda: proxy.metrics()["breakwater_exchanges_active"] >= len(pins), "uploads are missing")
        for client in pins:
            client.send(chunked(b"hello") + behind)
            self.assertEqual(client.recv_response().body, b"fine")
        self.wait_until(lambda: proxy.metrics()["breakwater_bulk_buffers_free"] == 8, "buffers for bodies are held")
        return proxy, pins

    def test_who_has_the_last_answer_keeps_no_other_out(self):
        """A connection whose answer is through stays until its client ends it too; its place is the first to be given away."""
        proxy = self.proxy(self.server(always(ok(b"fine"))), tables="[limits]\nconnections = 16\n")
        for _ in range(40):
            self.assertEqual(self.client(proxy).ask(get(b"/", b"Connection: close")).status, 200)

    def test_the_beginning_of_a_head_behind_a_body_holds_no_buffer_for_bodies(self):
        proxy, pins = self.pin(b"G")
        for client in pins:
            client.send(get(b"/fine")[1:])
            self.assertEqual(client.recv_response().body, b"fine")

    def test_nor_does_a_request_behind_a_body_for_as_long_as_it_lasts(self):
        proxy, pins = self.pin(get(b"/head"))
        for client in pins:
            client.read_until(b"\r\n\r\n")
        self.assertEqual(proxy.metrics()["breakwater_bulk_buffers_free"], 8)
        self.leave()


if __name__ == "__main__":
    main()
