"""Which request may be sent twice: a connect failure tries the next server, a stale connection is replaced, a push never."""

from support import (GET, ProxyTest, RefusingServer, SilentServer, always, chunked, get, git_post,
                     main, ok, post)

FETCH = git_post("upload-pack", b"0032want 0123456789012345678901234567890123456789\n00000009done\n")
PUSH = git_post("receive-pack", b"0000PACK and the rest of a push")


def after_one(then):
    """A script: one good answer, so that the connection is pooled, then `then`."""

    def script(peer):
        peer.answer(ok(b"first"))
        then(peer)

    return script


def takes_and_closes(peer):
    peer.read_request()
    peer.close()


def takes_and_resets(peer):
    peer.read_request()
    peer.reset()


class ConnectFailures(ProxyTest):
    def test_the_next_server_is_tried_for_every_kind_of_request(self):
        refusing, server = self.keep(RefusingServer()), self.server(always(ok(b"x")))
        for order in ((refusing, server), (server, refusing), (refusing, self.keep(RefusingServer()), server)):
            with self.subTest(order):
                proxy = self.proxy(*order)
                for request in (GET, FETCH, PUSH, post(b"/form", b"a=b")):
                    for _ in range(2):  # whichever server is first in turn
                        self.assertEqual(self.client(proxy).ask(request).body, b"x")
        self.assertEqual(len(server.requests), 24)

    def test_nobody_there_is_a_502(self):
        for servers in ([RefusingServer()], [RefusingServer(), RefusingServer(), RefusingServer()]):
            proxy = self.proxy(*[self.keep(server) for server in servers])
            for request in (GET, PUSH):
                entry = self.assert_own_reply(proxy, self.client(proxy).ask(request), 502)
                self.assertEqual((entry["ended_by"], entry["phase"]), ("server", "connect"))

    def test_a_server_that_does_not_answer_the_connect_is_a_504(self):
        proxy = self.proxy(self.keep(SilentServer()), tables='[timeouts]\nconnect = "200ms"\n')
        entry = self.assert_own_reply(proxy, self.client(proxy).ask(GET), 504)
        self.assertEqual((entry["ended_by"], entry["phase"]), ("server", "connect"))

    def test_a_server_that_does_not_answer_the_connect_is_passed_over(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(self.keep(SilentServer()), server, tables='[timeouts]\nconnect = "200ms"\n')
        for _ in range(2):
            self.assertEqual(self.client(proxy).ask(PUSH).body, b"x")


class StaleConnections(ProxyTest):
    def test_one_that_the_server_closed_while_idle_is_seen_and_not_used(self):
        for leave in ("close", "reset"):
            for request in (GET, FETCH, PUSH, post(b"/form", b"a=b")):
                with self.subTest(leave=leave, request=request):
                    server = self.server(after_one(lambda peer, leave=leave: getattr(peer, leave)()),
                                         always(ok(b"second")))
                    proxy = self.proxy(server)
                    client = self.client(proxy)
                    self.assertEqual(client.ask(get(b"/1")).body, b"first")
                    # The proxy closes its end once it has seen the server's; its gauge of idle connections says so.
                    self.wait_for_no_idle_connection(proxy)
                    self.assertEqual(client.ask(request).body, b"second")
                    self.assertEqual(len(server.connection(0).requests), 1)

    def wait_for_no_idle_connection(self, proxy):
        for _ in range(500):
            if proxy.metrics()["breakwater_server_connections_idle"] == 0:
                return
        self.fail("the proxy did not see the end of an idle server connection")

    def retried(self, request, then):
        server = self.server(after_one(then), always(ok(b"second")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        self.assertEqual(client.ask(get(b"/1")).body, b"first")
        return proxy, server, client.ask(request)

    def test_a_request_that_only_reads_is_sent_again_on_a_fresh_connection(self):
        for then in (takes_and_closes, takes_and_resets):
            for request in (GET, b"OPTIONS / HTTP/1.1\r\nHost: git.example\r\n\r\n", FETCH):
                with self.subTest(then=then.__name__, request=request):
                    proxy, server, reply = self.retried(request, then)
                    self.assertEqual(reply.body, b"second")
                    first, second = server.connection(0).requests[1], server.connection(1).requests[0]
                    self.assertEqual((first.head.raw, first.body), (second.head.raw, second.body))
                    self.assertEqual(second.body, request.partition(b"\r\n\r\n")[2])
                    self.assertEqual(len(server.connections), 2)

    def test_a_small_chunked_fetch_is_sent_again_or_refused_but_never_cut(self):
        _, server, reply = self.retried(git_post("upload-pack") + chunked(b"0000", b"0009done\n"), takes_and_closes)
        self.assertIn(reply.status, (200, 502))
        for request in server.requests[1:]:
            self.assertEqual(request.body, b"00000009done\n")

    def test_a_push_is_never_sent_again(self):
        for then in (takes_and_closes, takes_and_resets):
            for request in (PUSH, git_post("receive-pack") + chunked(b"0000", b"PACK and the rest of a push"),
                            PUSH.replace(b"-receive-pack-request", b"-upload-pack-request")):  # the path says push
                with self.subTest(then=then.__name__, request=request):
                    def script(peer, then=then):
                        message = peer.read_request()
                        if message.head.method == b"POST":
                            getattr(peer, "close" if then is takes_and_closes else "reset")()
                            return
                        peer.send(ok(b"first"))
                        then(peer)

                    server = self.server(script)
                    proxy = self.proxy(server)
                    client = self.client(proxy)
                    client.ask(get(b"/1"))
                    self.assert_own_reply(proxy, client.ask(request), 502)
                    pushes = [got for got in server.requests if got.head.method == b"POST"]
                    self.assertEqual([got.body for got in pushes], [b"0000PACK and the rest of a push"])
                    self.assertEqual(server.received.count(b"git-receive-pack"), request.count(b"/git-receive-pack") + request.count(b"-receive-pack-request"))

    def test_a_push_is_not_sent_to_another_server_either(self):
        servers = [self.server(takes_and_closes) for _ in range(3)]
        proxy = self.proxy(*servers)
        self.assert_own_reply(proxy, self.client(proxy).ask(PUSH), 502)
        self.assertEqual(sum(len(server.requests) for server in servers), 1)
        self.assertEqual(sum(len(server.connections) for server in servers), 1)

    def test_another_post_is_never_sent_again(self):
        def script(peer):
            while peer.read_request().head.method == b"GET":
                peer.send(ok(b"first"))
            peer.close()

        server = self.server(script)
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.ask(get(b"/1"))
        self.assert_own_reply(proxy, client.ask(post(b"/form", b"pay=1")), 502)
        self.assertEqual([request.body for request in server.requests], [b"", b"pay=1"])

    def test_once_is_enough(self):
        server = self.server(after_one(takes_and_closes), takes_and_closes)
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.ask(get(b"/1"))
        self.assert_own_reply(proxy, client.ask(GET), 502)
        self.assertEqual(len(server.connections), 2)

    def test_a_fresh_connections_failure_is_not_tried_again(self):
        for request in (GET, FETCH):
            server = self.server(takes_and_closes)
            proxy = self.proxy(server)
            self.assert_own_reply(proxy, self.client(proxy).ask(request), 502)
            self.assertEqual(len(server.connections), 1)

    def test_once_a_byte_of_an_answer_came_nothing_is_sent_again(self):
        server = self.server(after_one(lambda peer: (peer.answer(b"HTTP/1.1 200 O"), peer.close())), always(ok(b"second")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        client.ask(get(b"/1"))
        self.assert_own_reply(proxy, client.ask(GET), 502)
        self.assertEqual(len(server.connections), 1)


if __name__ == "__main__":
    main()
