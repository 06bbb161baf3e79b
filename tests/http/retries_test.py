"""Which request may be sent twice: a connect failure tries the next server, a stale connection is replaced, a push never."""

import socket

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
        self.assertEqual((entry["ended_by"], entry["phase"], entry["timeout"]), ("server", "connect", "connect"))

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


class BrokenServers(ProxyTest):
    """A read whose server fails before its answer began goes to the next server, and nothing else does."""

    READS = (GET, b"OPTIONS / HTTP/1.1\r\nHost: git.example\r\n\r\n", FETCH)
    BREAKS = {
        "close": takes_and_closes,
        "reset": takes_and_resets,
        "half a head": lambda peer: (peer.answer(b"HTTP/1.1 200 OK\r\nContent-Le"), peer.close()),
        "two framings": always(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc"),
        "no HTTP": always(b"220 smtp.example ready\r\n"),
    }

    def test_the_next_server_answers_and_each_was_asked_once(self):
        for name, breaks in self.BREAKS.items():
            for request in self.READS:
                with self.subTest(name, request=request):
                    broken = [self.server(breaks) for _ in range(2)]
                    good = self.server(always(ok(b"good")))
                    proxy = self.proxy(*broken, good)
                    client = self.client(proxy)
                    self.assertEqual(client.ask(request).body, b"good")
                    entry = proxy.wait_for_log(lambda entry: True)
                    self.assertEqual((entry["status"], entry["attempts"], entry["ended_by"]), (200, 3, "done"))
                    self.assertEqual(entry["server"], good.address)
                    self.assertNotIn("reason", {key for key, value in entry.items() if value and key == "reason"})
                    self.assertEqual([len(server.requests) for server in (*broken, good)], [1, 1, 1])
                    self.assertEqual(proxy.metrics()["breakwater_failovers_total"], 2)

    def test_when_all_fail_the_last_failure_is_told(self):
        servers = [self.server(takes_and_resets) for _ in range(3)]
        proxy = self.proxy(*servers)
        entry = self.assert_own_reply(proxy, self.client(proxy).ask(FETCH), 502)
        self.assertEqual((entry["attempts"], entry["ended_by"], entry["phase"]), (3, "server", "response_head"))
        self.assertEqual([len(server.requests) for server in servers], [1, 1, 1])

    def test_the_operation_stays_where_it_was_saved(self):
        broken, *good = [self.server(takes_and_closes)] + [self.server(always(ok(b"good"))) for _ in range(2)]
        proxy = self.proxy(broken, *good)
        client = self.client(proxy)
        advertise = get(b"/team/repo.git/info/refs?service=git-upload-pack")
        for request in (advertise, FETCH, FETCH):
            self.assertEqual(client.ask(request).body, b"good")
        self.assertEqual(sorted(len(server.requests) for server in good), [0, 3])

    def test_an_interim_answer_binds_a_request_to_its_server(self):
        hints = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
        broken = self.server(lambda peer: (peer.answer(hints), peer.close()))
        good = self.server(always(ok(b"good")))
        proxy = self.proxy(broken, good)
        client = self.client(proxy)
        client.send(GET)
        self.assertEqual(client.read_head().status, 103)
        self.assert_own_reply(proxy, client.recv_response(), 502)
        self.assertEqual(good.requests, [])

    def test_no_more_than_a_share_of_requests_is_sent_again(self):
        broken = self.server(*[takes_and_closes] * 200)
        good = self.server(always(ok(b"good")))
        # No ejection: the broken server would get nothing any more.
        proxy = self.proxy(broken, good, tables='retries = "10%"\neject_errors = "off"\n')
        client = self.client(proxy)
        statuses = [client.ask(get(b"/%d" % number)).status for number in range(200)]
        metrics = proxy.metrics()
        saved = statuses.count(200) - 100
        self.assertEqual(metrics["breakwater_failovers_total"], saved)
        self.assertEqual(metrics["breakwater_retries_over_budget_total"], statuses.count(502))
        self.assertIn(saved, range(38, 41))  # a stock of 20, and a tenth of 200, less what overflowed at first

    def test_a_share_of_none_is_none(self):
        broken, good = self.server(*[takes_and_closes] * 20), self.server(always(ok(b"good")))
        proxy = self.proxy(broken, good, tables='retries = "off"\n')
        client = self.client(proxy)
        self.assertEqual([client.ask(GET).status for _ in range(4)].count(502), 2)

    def test_a_server_that_refuses_is_passed_over_at_once(self):
        refusing, good = self.keep(RefusingServer()), self.server(always(ok(b"good")))
        proxy = self.proxy(refusing, good)
        client = self.client(proxy)
        for _ in range(20):
            self.assertEqual(client.ask(PUSH).body, b"good")
        self.assertEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 1)

    def test_a_server_that_fails_five_times_in_a_row_is_passed_over(self):
        broken, good = self.server(*[takes_and_closes] * 50), self.server(always(ok(b"good")))
        proxy = self.proxy(broken, good)
        client = self.client(proxy)
        for _ in range(50):
            self.assertEqual(client.ask(GET).body, b"good")
        self.assertEqual(len(broken.requests), 5)


class ServersThatGoDown(ProxyTest):
    def test_who_waits_for_one_on_a_fresh_connection_is_answered_by_another(self):
        silent, good = self.server(lambda peer: peer.read_request()), self.server(always(ok(b"good")))
        proxy = self.proxy(silent, good)
        refs = get(b"/team/repo.git/info/refs?service=git-upload-pack")
        waiting = [self.client(proxy) for _ in range(2)]  # one of the two is answered
        for client in waiting:
            client.send(refs)
        silent.connection(0).wait_requests(1)
        silent.listener.shutdown(socket.SHUT_RDWR)
        silent.listener.close()
        for _ in range(2):  # one of the two is refused there, so that it is down
            self.assertEqual(self.client(proxy).ask(GET).body, b"good")
        for client in waiting:
            self.assertEqual(client.recv_response().body, b"good")
        self.assertEqual(len(silent.requests), 1)


if __name__ == "__main__":
    main()
