"""Answers while the upload is still in flight: the client gets every byte of them, and no reset loses them."""

import threading

from support import TIMEOUT, ProxyTest, always, answering, get, git_post, main, ok, pattern

REFUSAL = ok(b"too large, says the server" * 40, b"X-From: server", status=b"413 Content Too Large")
HEAD = b"POST /up HTTP/1.1\r\nHost: git.example\r\nContent-Length: %d\r\n\r\n"
BODY = pattern(8 * 1024 * 1024)


def head_of_post(length, *fields):
    return b"".join(line + b"\r\n" for line in (b"POST /x HTTP/1.1", b"Host: git.example", b"Content-Length: %d" % length, *fields, b""))


class EarlyAnswers(ProxyTest):
    def check(self, client):
        reply = client.recv_response()
        self.assertEqual(reply.status, 413)
        self.assertEqual(reply.head.value("x-from"), b"server")
        self.assertEqual(reply.body, b"too large, says the server" * 40)

    def test_server_answers_after_the_head_and_reads_on(self):
        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.read_until_end()

        client = self.client(self.proxy(self.server(script)))
        client.send(HEAD % len(BODY) + BODY[:1000])
        self.check(client)

    def test_server_answers_and_shuts_down(self):
        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.shutdown_write()
            peer.read_until_end()

        client = self.client(self.proxy(self.server(script)))
        client.send(HEAD % len(BODY) + BODY[:1000])
        self.check(client)

    def test_server_answers_and_resets(self):
        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.reset()

        client = self.client(self.proxy(self.server(script)))
        client.send(HEAD % len(BODY) + BODY[:1000])
        self.check(client)

    def test_server_answers_and_resets_in_the_middle_of_a_running_upload(self):
        for request in (HEAD % len(BODY), git_post("receive-pack")):
            with self.subTest(request):
                def script(peer):
                    peer.read_head()
                    peer.read_exact(100_000)
                    peer.send(REFUSAL)
                    peer.close()  # with bytes unread: a RST

                client = self.client(self.proxy(self.server(script)))
                body = BODY if b"Content-Length" in request else b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
                sender = threading.Thread(target=client.try_send, args=(request + body,), daemon=True)
                sender.start()
                self.check(client)
                sender.join(5)
                self.assertFalse(sender.is_alive())

    def test_client_that_goes_on_sending_before_it_reads_still_gets_the_answer(self):
        # The usual client: it sends all it has, then looks. Closing at once would reset it, and the reset would throw
        # the answer away.
        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.close()

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(HEAD % len(BODY))
        server.connection(0).wait_received(b"\r\n\r\n")
        client.send(BODY)
        self.check(client)
        self.assertEqual(client.recv_until_close(), b"")

    def test_lingering_ends_with_the_time_that_is_set_for_it(self):
        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.close()

        client = self.client(self.proxy(self.server(script), tables='[timeouts]\nlinger = "200ms"\n'))
        client.send(HEAD % len(BODY) + BODY[:1000])
        self.check(client)
        self.assertEqual(client.recv_until_close(), b"")  # or this times out

    def test_nothing_of_the_abandoned_upload_is_taken_for_a_request(self):
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: git.example\r\n\r\n"

        def script(peer):
            peer.read_head()
            peer.send(REFUSAL)
            peer.shutdown_write()
            peer.read_until_end()

        server = self.server(script, answering(ok(b"never")))
        client = self.client(self.proxy(server))
        client.send(HEAD % 100_000)
        self.check(client)
        client.try_send(smuggled)
        client.half_close()
        self.assertEqual(client.recv_until_close(), b"")
        self.assertEqual(len(server.connections), 1)
        server.connection(0).wait_end()
        self.assertLessEqual(server.received.count(b"HTTP/1.1"), 2)  # as bytes of the body at most

    def test_an_end_behind_the_next_request_does_not_end_the_one_before(self):
        """The rest of a Git POST, the next request and the end of sending come at once, with the answer long read."""
        def script(peer):
            peer.read_head()
            peer.send(ok(b"early"))
            peer.read_exact(len(body))
            peer.answer(ok(b"second"))

        body = pattern(200_000)
        for _ in range(5):
            client = self.client(self.proxy(self.server(script, always(ok(b"second")))))
            client.send(b"POST /team/repo.git/git-upload-pack HTTP/1.1\r\nHost: git.example\r\n"
                        b"Content-Type: application/x-git-upload-pack-request\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body[:1000])
            self.assertEqual(client.recv_response().body, b"early")
            client.send(body[1000:] + get(b"/second"))
            client.shutdown_write()
            self.assertEqual(client.recv_response().body, b"second")

    def test_answer_in_pieces_while_the_upload_runs_both_ways_whole(self):
        # A bidirectional exchange: the server answers part by part as it reads.
        def script(peer):
            peer.read_head()
            peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for _ in range(10):
                data = peer.read_exact(1000)
                peer.send(b"%x\r\n%s\r\n" % (len(data), data))
            peer.send(b"0\r\n\r\n")
            peer.read_until_end()

        server = self.server(script, always(ok(b"next")))
        client = self.client(self.proxy(server))
        client.send(HEAD % 10_000)
        head = client.recv_head()
        for number in range(10):
            client.send(BODY[number * 1000:(number + 1) * 1000])
            if number < 9:
                client.read_until(BODY[number * 1000 + 900:(number + 1) * 1000])
        self.assertEqual(head.status, 200)
        client.read_until(b"\r\n0\r\n\r\n")
        client.send(b"GET /next HTTP/1.1\r\nHost: git.example\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"next")

    def check_that_a_body_is_no_request(self, answer, rest, *fields):
        """A server that begins to answer without looking at the body may read that as the next request. The connection
        was used again if the upload ended before the answer did, and another client got the answer to what stood in it."""
        body = get(b"/smuggled")
        got = threading.Event()

        def script(peer):
            peer.read_head()
            peer.send(answer)
            peer.read_exact(len(body))
            got.set()
            peer.send(rest)
            peer.read_until_end()

        server = self.server(script, always(ok(b"own")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.send(head_of_post(len(body), *fields))
        client.read_until(b"early")
        client.send(body)
        self.assertTrue(got.wait(TIMEOUT))
        client.read_until(rest)
        self.assertEqual(self.client(proxy).ask(get(b"/another")).body, b"own")
        server.connection(0).wait_end()
        self.assertNotIn(b"/another", server.connection(0).record)

    def test_a_chunked_answer_that_outlasts_the_upload(self):
        self.check_that_a_body_is_no_request(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n", b"0\r\n\r\n")

    def test_an_answer_with_a_length_that_outlasts_the_upload(self):
        self.check_that_a_body_is_no_request(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nearly", b"-done")

    def test_an_answer_instead_of_100_that_outlasts_the_upload(self):
        self.check_that_a_body_is_no_request(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nearly", b"-done",
                                             b"Expect: 100-continue")

    def test_a_client_that_wants_to_close_has_its_body_read_too(self):
        """The upload was cut off once the answer was through, and the server got a reset."""
        body = BODY[:200_000]

        def script(peer):
            peer.read_head()
            peer.send(ok(b"accepted", status=b"202 Accepted"))
            peer.read_exact(len(body))
            peer.read_until_end()

        server = self.server(script)
        client = self.client(self.proxy(server))
        client.send(head_of_post(len(body), b"Connection: close") + body[:1000])
        self.assertEqual(client.recv_response().status, 202)
        client.send(body[1000:])
        server.connection(0).wait_received(body[-100:])
        self.assertEqual(client.recv_until_close(), b"")


if __name__ == "__main__":
    main()
