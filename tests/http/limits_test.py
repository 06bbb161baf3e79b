"""Times and sizes that are configured: 408, 413, 414, 431, 503, 504, and what becomes of the other side."""

import threading
import time

from support import GET, LAST_CHUNK, ProxyTest, always, answering, chunked, get, git_post, main, ok, post

GET_REFS = get(b"/team/repo.git/info/refs?service=git-upload-pack")


class Times(ProxyTest):
    def test_a_head_that_does_not_come_to_its_end_is_a_408(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server, tables='[timeouts]\nhead = "200ms"\n')
        client = self.client(proxy)
        client.send(GET[:-4])
        reply = client.recv_response()
        entry = self.assert_own_reply(proxy, reply, 408)
        self.assertEqual((entry["ended_by"], entry["phase"]), ("client", "head"))
        self.assert_closed(client)
        self.assertEqual(server.received, b"")

    def test_a_second_head_too(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables='[timeouts]\nhead = "200ms"\n')
        client = self.client(proxy)
        self.assertEqual(client.ask(GET).body, b"x")
        client.send(b"GET / HT")
        self.assertEqual(self.assert_own_reply(proxy, client.recv_response(), 408)["timeout"], "head")

    def test_refs_that_do_not_come_are_a_504_if_there_is_no_other_server(self):
        server = self.server(lambda peer: peer.read_request())
        proxy = self.proxy(server, tables='[timeouts]\nadvertise = "200ms"\n')
        reply = self.client(proxy).ask(GET_REFS)
        self.assertEqual(self.assert_own_reply(proxy, reply, 504)["timeout"], "advertise")

    def test_an_answer_that_does_not_begin_is_a_504_and_the_server_is_told(self):
        server = self.server(lambda peer: peer.read_request(), always(ok(b"next")))
        proxy = self.proxy(server, tables='[timeouts]\nresponse = "200ms"\n')
        for request in (GET, git_post("receive-pack", b"0000")):
            client = self.client(proxy)
            if request == GET:
                entry = self.assert_own_reply(proxy, client.ask(request), 504)
                self.assertEqual((entry["ended_by"], entry["phase"], entry["timeout"]), ("server", "response_head", "response"))
                server.connection(0).wait_end()
            else:
                self.assertEqual(client.ask(request).body, b"next")

    def test_a_push_that_is_not_answered_is_a_504_and_not_sent_again(self):
        server = self.server(lambda peer: peer.read_request())
        proxy = self.proxy(server, tables='[timeouts]\nresponse = "200ms"\n')
        self.assert_own_reply(proxy, self.client(proxy).ask(git_post("receive-pack", b"0000")), 504)
        self.assertEqual(len(server.connections), 1)

    def test_a_body_that_stands_still_behind_a_late_head_is_cut_in_time(self):
        """Nobody looked at the clock from when the head was waited for until that wait would have been over."""
        def script(peer):
            peer.read_request()
            time.sleep(0.05)  # so that it is looked at once while the head is owed
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello")

        proxy = self.proxy(self.server(script), tables='[timeouts]\nidle = "200ms"\n')
        client = self.client(proxy)
        client.send(GET)
        client.recv_until_close()
        self.assertEqual(proxy.wait_for_log(lambda entry: True)["timeout"], "idle")

    def test_a_body_that_stands_still_is_cut_on_both_sides(self):
        server = self.server(answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"))
        proxy = self.proxy(server, tables='[timeouts]\nidle = "200ms"\n')
        client = self.client(proxy)
        client.send(GET)
        client.recv_until_close()
        self.assertEqual(proxy.wait_for_log(lambda entry: True)["timeout"], "idle")
        self.assertIn(b"hello", client.record)
        self.assertFalse(bytes(client.record).endswith(LAST_CHUNK))
        server.connection(0).wait_end()

    def test_an_upload_that_stands_still_is_cut_on_both_sides(self):
        server = self.server(lambda peer: peer.read_request())
        client = self.client(self.proxy(server, tables='[timeouts]\nidle = "200ms"\n'))
        client.send(git_post("receive-pack") + b"5\r\nhello\r\n")
        reply = client.recv_until_close()
        self.assertTrue(reply == b"" or reply.startswith(b"HTTP/1.1 408 "), reply)
        server.connection(0).wait_end()
        self.assertEqual(server.requests, [])

    def test_an_answer_slower_than_the_idle_time_but_never_still_is_not_cut(self):
        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            began = time.monotonic()
            while time.monotonic() - began < 1.2:
                peer.send(b"4\r\n....\r\n")
                self.ticks.wait(0.1)
            peer.send(LAST_CHUNK)

        self.ticks = threading.Event()
        client = self.client(self.proxy(self.server(script), tables='[timeouts]\nidle = "600ms"\n'))
        reply = client.ask(GET)
        self.assertGreaterEqual(len(reply.body), 40)


class Sizes(ProxyTest):
    def test_a_length_above_the_cap_is_a_413_at_once(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server, tables='[limits]\nbody_bytes = "1KiB"\n')
        client = self.client(proxy)
        client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n")
        self.assert_own_reply(proxy, client.recv_response(), 413)
        client.half_close()
        self.assertEqual(client.recv_until_close(), b"")
        self.assertEqual(server.received, b"")
        self.assertEqual(self.client(proxy).ask(post(b"/x", b"y" * 1024)).body, b"x")

    def test_an_expectation_above_the_cap_is_a_413_in_place_of_a_100(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables='[limits]\nbody_bytes = "1KiB"\n')
        client = self.client(proxy)
        client.send(b"POST /x HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2000\r\n\r\n")
        self.assert_own_reply(proxy, client.recv_response(), 413)

    def test_a_chunked_body_that_grows_past_the_cap_is_a_413_and_never_completed(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server, tables='[limits]\nbody_bytes = "1KiB"\n')
        client = self.client(proxy)
        client.send(git_post("receive-pack") + b"3e8\r\n" + b"a" * 1000 + b"\r\n")
        server.connection(0).wait_received(b"aaa")
        client.send(b"19\r\n" + b"b" * 25 + b"\r\n0\r\n\r\n")
        self.assert_own_reply(proxy, client.recv_response(), 413)
        client.close()
        self.assert_never_completed(proxy, server)

    def test_a_chunked_body_up_to_the_cap_passes(self):
        server = self.server(always(ok(b"x")))
        client = self.client(self.proxy(server, tables='[limits]\nbody_bytes = "1KiB"\n'))
        self.assertEqual(client.ask(git_post("receive-pack") + chunked(b"a" * 1000, b"b" * 24)).body, b"x")
        self.assertEqual(server.requests[0].body, b"a" * 1000 + b"b" * 24)

    def test_a_target_above_its_limit_is_a_414_and_a_head_a_431(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables='[limits]\ntarget_bytes = "1KiB"\nhead_bytes = "2KiB"\n')
        for request, status in ((get(b"/" + b"a" * 1023), 200), (get(b"/" + b"a" * 1024), 414),
                                (get(b"/", b"X-A: " + b"a" * 2100), 431)):
            client = self.client(proxy)
            reply = client.ask(request)
            self.assertEqual(reply.status, status)
            if status != 200:
                self.assert_own_reply(proxy, reply, status, "any")

    def test_a_connection_too_many_is_a_503(self):
        refused = threading.Event()

        def script(peer):
            peer.read_request()
            refused.wait(5)
            peer.send(ok(b"x"))
            peer.answer(ok(b"x"))

        server = self.server(script)
        proxy = self.proxy(server, tables="[limits]\nconnections = 1\n")
        first = self.client(proxy)
        first.send(GET)
        server.connection(0).wait_requests(1)
        second = self.client(proxy)
        second.send(GET)
        reply = second.recv_response()
        self.assert_own_reply(proxy, reply, 503, "proxy")
        second.recv_until_close()
        refused.set()
        self.assertEqual(first.recv_response().body, b"x")
        self.assertEqual(first.ask(GET).body, b"x")


if __name__ == "__main__":
    main()
