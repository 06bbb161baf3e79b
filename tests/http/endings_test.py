"""Who may end what, when: half-closed clients, clients that go, servers that go. A short body is never completed."""

import json
import threading

from support import (GET, LAST_CHUNK, LOOPBACK, TIMEOUT, ProxyTest, always, answering, chunked, get, git_post, main, ok, pattern, post)

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"
BIG = pattern(8 * 1024 * 1024)


class Watched(ProxyTest):
    def wait_until_watched(self, proxy):
        """The request is old enough for its client to be watched; what can be seen of that is its age."""
        def age_ms():
            return json.loads(proxy.admin("/operations", host=LOOPBACK.encode()).body)["operations"][0]["age_ms"]

        self.wait_until(lambda: age_ms() >= 100, "the request does not get older")

    def watched_get(self):
        """A server that has the request and says nothing, the proxy between, and the client that waits and is watched."""
        server = self.server(lambda peer: peer.read_request())
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(GET)
        server.connection(0).wait_requests(1)
        self.wait_until_watched(proxy)
        return server, proxy, client


class HalfClosedClient(Watched):
    def test_a_get_is_still_answered(self):
        def script(peer):
            peer.read_request()
            peer.send(CHUNKED + b"5\r\nhello\r\n")
            gate.wait(5)
            peer.send(b"6\r\n world\r\n" + LAST_CHUNK)

        gate = threading.Event()
        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(GET)
        client.half_close()
        client.read_until(b"hello")
        gate.set()
        client.read_until(b" world\r\n" + LAST_CHUNK)
        self.assert_closed(client)
        self.assertEqual(server.requests[0].head_without_ours, GET)

    def test_a_get_whose_end_comes_in_the_same_packet(self):
        server = self.server(always(ok(b"hello")))
        proxy = self.proxy(server)
        for _ in range(5):
            client = self.client(proxy)
            client.send(GET)
            client.half_close()
            self.assertEqual(client.recv_response().body, b"hello")
            self.assert_closed(client)

    def test_every_pipelined_request_is_still_answered(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        client.send(get(b"/1") + get(b"/2") + get(b"/3"))
        client.half_close()
        for _ in range(3):
            self.assertEqual(client.recv_response().body, b"hello")
        self.assert_closed(client)

    def test_a_post_whose_body_is_whole_is_still_answered(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        client.send(post(b"/form", b"a=b"))
        client.half_close()
        self.assertEqual(client.recv_response().body, b"hello")
        self.assert_closed(client)

    def test_the_end_inside_a_head_is_the_end_of_the_connection(self):
        server = self.server(always(ok(b"hello")))
        client = self.client(self.proxy(server))
        client.send(GET[:-10])
        client.half_close()
        reply = client.recv_until_close()
        self.assertTrue(reply == b"" or reply.startswith(b"HTTP/1.1 400 "), reply)
        self.assertEqual(server.received, b"")

    def test_the_end_inside_a_body_never_completes_it(self):
        for request in (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello",
                        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"):
            with self.subTest(request):
                server = self.server(always(ok(b"never")))
                proxy = self.proxy(server)
                client = self.client(proxy)
                client.send(request)
                client.half_close()
                client.recv_until_close()
                self.assertNotIn(b"never", client.record)
                self.assert_never_completed(proxy, server)

    def test_a_fetch_ends_at_the_server_once_its_client_has_shut_down(self):
        # Git never half-closes: an end while the answer is owed means that it is gone, and the server must stop computing.
        def script(peer):
            peer.read_request()

        server = self.server(script)
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(git_post("upload-pack", b"0032want 0123456789012345678901234567890123456789\n00000009done\n"))
        server.connection(0).wait_requests(1)
        client.half_close()
        server.connection(0).wait_end()
        entry = proxy.wait_for_log(lambda entry: entry.get("git") == "upload-pack")
        self.assertEqual(entry["ended_by"], "client")

    def test_a_fetch_in_the_middle_of_its_pack_too(self):
        def script(peer):
            peer.answer(CHUNKED + b"5\r\nPACK0\r\n")

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(b"PACK0")
        client.half_close()
        server.connection(0).wait_end()

    def test_a_fetch_behind_another_request_too(self):
        """The end had been heard in the request before, and was not heard again: the server worked for nobody."""
        PACK = git_post("upload-pack", b"0032want 0123456789012345678901234567890123456789\n00000009done\n")
        may = threading.Event()

        def script(peer):
            peer.read_request()
            may.wait(TIMEOUT)
            peer.send(ok(b"one"))
            peer.read_request()

        server = self.server(script)
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(GET)
        server.connection(0).wait_requests(1)
        self.wait_until_watched(proxy)
        client.send(PACK)
        client.half_close()
        may.set()
        self.assertEqual(client.recv_response().body, b"one")
        peer = server.connection(0) if len(server.connections) == 1 else server.connection(1)
        self.assertEqual(peer.wait_end(), "reset")

    def test_an_end_is_heard_once(self):
        """It was told again and again, for as long as the request took: one client kept a core busy."""
        _, proxy, client = self.watched_get()
        client.half_close()
        # Whatever is asked costs some turns; what spins makes thousands of them meanwhile.
        before = proxy.metrics()["breakwater_ring_sqes_total"]
        for _ in range(20):
            proxy.metrics()
        self.assertLess(proxy.metrics()["breakwater_ring_sqes_total"] - before, 200)
        client.reset()


class BehindTheRequest(ProxyTest):
    """What a client that gets its connection closed sends after its request."""

    def check(self, request):
        body = pattern(3_000_000)
        client = self.client(self.proxy(self.server(always(ok(body)))), receive_buffer=8192)
        client.send(request)
        client.read_until(b"\r\n\r\n")
        client.send(b"\r\n")
        self.assertEqual(client.read_until_end(), body)
        self.assertEqual(client.ended, "fin")

    def test_an_empty_line_does_not_cost_the_answer(self):
        """It stood unread in the socket when that was closed, which made a reset of it: most of the answer was lost."""
        self.check(get(b"/", b"Connection: close"))

    def test_nor_of_an_old_client(self):
        self.check(b"GET / HTTP/1.0\r\nHost: git.example\r\n\r\n")

    def test_nor_behind_a_body(self):
        self.check(b"POST / HTTP/1.0\r\nHost: git.example\r\nContent-Length: 3\r\n\r\na=b")


class ClientGone(Watched):
    """Whichever way the client goes, the scripted server sees the end of its connection at once."""

    def test_reset_while_awaiting_the_answer(self):
        server = self.server(lambda peer: peer.read_request())
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(GET)
        server.connection(0).wait_requests(1)
        client.reset()
        server.connection(0).wait_end()
        entry = proxy.wait_for_log(lambda entry: entry["method"] == "GET")
        self.assertEqual((entry["ended_by"], entry["phase"]), ("client", "response_head"))

    def test_reset_after_it_has_ended_its_sending(self):
        """After a first event nobody listened for a second one, and the server worked until the timeout."""
        server, proxy, client = self.watched_get()
        client.half_close()
        for _ in range(2):  # which the core answers behind what came before
            proxy.admin("/operations", host=LOOPBACK.encode())
        self.assertFalse(server.connection(0).ended)
        client.reset()
        self.assertEqual(server.connection(0).wait_end(), "reset")

    def test_reset_in_the_middle_of_an_upload(self):
        for head in (b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n", git_post("receive-pack") + b"10\r\n"):
            with self.subTest(head):
                server = self.server(lambda peer: peer.read_request())
                proxy = self.proxy(server)
                client = self.client(proxy)
                client.send(head + b"0123456789")
                server.connection(0).wait_received(b"0123456789")
                client.reset()
                server.connection(0).wait_end()
                self.assertEqual(server.requests, [])
                self.assertFalse(server.received.endswith(LAST_CHUNK))
                entry = proxy.wait_for_log(lambda entry: entry["method"] == "POST")
                self.assertEqual((entry["ended_by"], entry["phase"]), ("client", "request"))

    def test_end_in_the_middle_of_an_upload(self):
        server = self.server(lambda peer: peer.read_request())
        client = self.client(self.proxy(server))
        client.send(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n0123456789")
        server.connection(0).wait_received(b"0123456789")
        client.close()
        server.connection(0).wait_end()

    def test_reset_in_the_middle_of_an_answer(self):
        for start in (LENGTH + b"hello", CHUNKED + b"5\r\nhello\r\n", UNTIL_CLOSE + b"hello"):
            with self.subTest(start):
                server = self.server(answering(start))
                proxy = self.proxy(server)
                client = self.client(proxy)
                client.send(GET)
                client.read_until(b"hello")
                client.reset()
                server.connection(0).wait_end()
                entry = proxy.wait_for_log(lambda entry: entry["method"] == "GET")
                self.assertEqual((entry["ended_by"], entry["phase"]), ("client", "response_body"))

    def test_reset_while_the_answer_pours(self):
        for answer in (ok(BIG * 4), CHUNKED + chunked(*[BIG[at:at + 8000] for at in range(0, len(BIG), 8000)] * 4)):
            def script(peer, answer=answer):
                peer.read_request()
                peer.try_send(answer)

            server = self.server(script)
            client = self.client(self.proxy(server), receive_buffer=4096)
            client.send(GET)
            client.recv_exact(100_000)
            client.reset()
            server.connection(0).wait_end()

    def test_close_of_a_fetch_with_its_answer_unread(self):
        server = self.server(answering(CHUNKED + b"5\r\nPACK0\r\n"))
        client = self.client(self.proxy(server))
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(b"PACK0")
        client.close()
        server.connection(0).wait_end()

    def test_others_are_served_meanwhile(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        for number in range(20):
            gone = self.client(proxy)
            gone.send(b"POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 90\r\n\r\n" + b"0" * number)
            gone.reset()
            self.assertEqual(self.client(proxy).ask(get(b"/%d" % number)).body, b"x")


class ServerGone(ProxyTest):
    def check(self, start, leave):
        """The server sends `start`, the client has all of it, the server leaves. Returns what the client has."""
        def script(peer):
            peer.answer(start)
            gate.wait(5)
            leave(peer)

        gate = threading.Event()
        server = self.server(script, always(ok(b"next")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(GET)
        client.read_until(b"\r\n\r\n")
        client.read_until(b"hello")
        gate.set()
        client.recv_until_close()
        entry = proxy.wait_for_log(lambda entry: entry["method"] == "GET")
        self.assertEqual((entry["ended_by"], entry["phase"]), ("server", "response_body"))
        self.assertEqual(self.client(proxy).ask(GET).body, b"next")
        return client

    def test_end_inside_a_length_body(self):
        client = self.check(LENGTH + b"hello", lambda peer: peer.close())
        self.assertTrue(client.record.endswith(b"hello"))

    def test_reset_inside_a_length_body(self):
        client = self.check(LENGTH + b"hello", lambda peer: peer.reset())
        self.assertTrue(client.record.endswith(b"hello"))

    def test_one_byte_short(self):
        client = self.check(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello", lambda peer: peer.close())
        self.assertTrue(client.record.endswith(b"hello"))

    def test_end_between_chunks(self):
        client = self.check(CHUNKED + b"5\r\nhello\r\n", lambda peer: peer.close())
        self.assertNotIn(b"\r\n0\r\n", client.record)

    def test_end_inside_a_chunk(self):
        client = self.check(CHUNKED + b"50\r\nhello", lambda peer: peer.close())
        self.assertNotIn(b"\r\n0\r\n", client.record)

    def test_end_inside_the_last_chunk(self):
        client = self.check(CHUNKED + b"5\r\nhello\r\n0\r\n", lambda peer: peer.close())
        self.assertFalse(client.record.endswith(LAST_CHUNK))

    def test_end_inside_the_trailer(self):
        client = self.check(CHUNKED + b"5\r\nhello\r\n0\r\nX-Sum: 1\r\n", lambda peer: peer.close())
        self.assertFalse(client.record.endswith(b"\r\n\r\n"))

    def test_reset_between_chunks(self):
        client = self.check(CHUNKED + b"5\r\nhello\r\n", lambda peer: peer.reset())
        self.assertNotIn(b"\r\n0\r\n", client.record)

    def test_reset_of_an_until_close_body_is_not_its_end(self):
        client = self.check(UNTIL_CLOSE + b"hello", lambda peer: peer.reset())
        if b"chunked" in client.record:
            self.assertNotIn(b"\r\n0\r\n", client.record)
        else:
            self.assertEqual(client.ended, "reset")

    def test_gone_in_the_middle_of_pouring(self):
        for head in (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BIG) * 2), CHUNKED + b"%x\r\n" % (len(BIG) * 2)):
            for leave in ("close", "reset"):
                with self.subTest(head=head, leave=leave):
                    def script(peer, head=head, leave=leave):
                        peer.answer(head + BIG)
                        getattr(peer, leave)()

                    client = self.client(self.proxy(self.server(script)))
                    client.send(GET)
                    got, payload = client.recv_aborted()
                    self.assertEqual(got.status, 200)

    def test_pipelined_requests_behind_an_aborted_answer_are_not_answered(self):
        def script(peer):
            peer.answer(LENGTH + b"hello")
            peer.close()

        server = self.server(script, always(ok(b"next")))
        client = self.client(self.proxy(server))
        client.send(get(b"/1") + get(b"/2"))
        client.recv_until_close()
        self.assertTrue(client.record.endswith(b"hello"))
        self.assertNotIn(b"/2", server.received)


if __name__ == "__main__":
    main()
