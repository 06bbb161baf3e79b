"""What a line of the access log says of what the client got: no more and no less."""

from support import GET, ProxyTest, always, answering, get, main, ok


class LogLines(ProxyTest):
    def test_bytes_out_are_those_of_the_body_of_our_own_replies_too(self):
        """The head was counted with them."""
        proxy = self.proxy(self.server(answering(ok(b"x"))))
        reply = self.client(proxy).ask(b"GET nowhere HTTP/1.1\r\nHost: git.example\r\n\r\n")
        entry = proxy.wait_for_log(lambda entry: entry["status"] == 400)
        self.assertEqual(entry["bytes_out"], len(reply.body))

    def test_nor_is_there_one_of_a_head(self):
        proxy = self.proxy(self.server(answering(b"nonsense\r\n")))
        self.client(proxy).ask(b"HEAD / HTTP/1.1\r\nHost: git.example\r\n\r\n", method="HEAD")
        entry = proxy.wait_for_log(lambda entry: entry["status"] == 502)
        self.assertEqual(entry["bytes_out"], 0)

    def test_they_are_not_forgotten_if_an_answer_had_been_expected(self):
        """An answer that breaks before its first byte becomes a 502, and the log said 0."""
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno chunk\r\n")

        proxy = self.proxy(self.server(script))
        reply = self.client(proxy).ask(GET)
        self.assertEqual(reply.status, 502)
        entry = proxy.wait_for_log(lambda entry: entry["status"] == 502)
        self.assertEqual(entry["bytes_out"], len(reply.body))

    def test_a_client_that_leaves_inside_a_head_has_a_line(self):
        """It left no trace, in the log or in any counter."""
        for leave in ("close", "reset"):
            with self.subTest(leave):
                proxy = self.proxy(self.server(answering(ok(b"x"))))
                client = self.client(proxy)
                client.send(get(b"/")[:10])
                self.wait_until(lambda: proxy.metrics()["breakwater_buffers_free"] < 1024, "the head did not come")
                getattr(client, leave)()
                entry = proxy.wait_for_log(lambda entry: entry["phase"] == "head")
                self.assertEqual((entry["status"], entry["ended_by"], entry["bytes_out"]), (0, "client", 0))
                self.assertEqual(proxy.metrics()["breakwater_requests_total"], 1)

    def test_an_empty_line_is_no_request(self):
        """Old clients send one behind a body (RFC 9112 §2.2)."""
        proxy = self.proxy(self.server(always(ok(b"x"))))
        client = self.client(proxy)
        self.assertEqual(client.ask(b"POST / HTTP/1.1\r\nHost: git.example\r\nContent-Length: 2\r\n\r\nab\r\n").body, b"x")
        client.close()
        self.wait_until(lambda: proxy.metrics()["breakwater_connections_open"] == 0, "the connection stays")
        self.assertEqual(proxy.metrics()["breakwater_requests_total"], 1)


if __name__ == "__main__":
    main()
