"""What requests teach of servers: once each of these taught something wrong, or nothing."""

import socket
import threading
import time

from git_death_test import ADVERTISEMENT, CHUNKED, INFO_REFS, REFS, in_chunks
from support import GET, LOOPBACK, ProxyTest, ScriptedServer, SilentServer, always, get, git_post, main, ok
from upload_pack_framing_test import CLONE_V2, RESULT, line, pack, upload_pack

HEAD_REFS = INFO_REFS.replace(b"GET ", b"HEAD ", 1)
OTHER_REFS = get(b"/team/other.git/info/refs?service=git-upload-pack", b"Git-Protocol: version=2")


class ServerAt(ScriptedServer):
    """One at an address that was known before."""

    def __init__(self, port, *scripts):
        self.wanted = port
        super().__init__(*scripts)

    def _listen(self):
        self.listener = socket.create_server((LOOPBACK, self.wanted), backlog=64)
        self.port, self.address = self.wanted, f"{LOOPBACK}:{self.wanted}"


class Reopened:
    """An address that is known before a server listens there."""

    def __init__(self):
        self.holder = socket.socket()
        self.holder.bind((LOOPBACK, 0))
        self.port = self.holder.getsockname()[1]
        self.address = f"{LOOPBACK}:{self.port}"

    def open(self, *scripts):
        self.holder.close()
        return ServerAt(self.port, *scripts)


def stop_listening(server):
    """Its connections stay."""
    server.listener.shutdown(socket.SHUT_RDWR)
    server.listener.close()


class Judging(ProxyTest):
    def test_head_of_the_refs_is_no_failure(self):

        def script(peer):
            while True:
                request = peer.read_request()
                head = request.head.method == b"HEAD"
                peer.send(ok(REFS, ADVERTISEMENT)[:-len(REFS)] if head else ok(REFS, ADVERTISEMENT))
        servers = [self.server(script) for _ in range(2)]
        proxy = self.proxy(*servers)
        client = self.client(proxy)
        for _ in range(6):
            client.ask(HEAD_REFS, "HEAD")
        self.assertEqual([len(server.requests) for server in servers], [6, 0])  # one operation, one server

    def test_long_error_in_one_chunk_is_judged(self):
        error = in_chunks(line(b"ERR " + b"e" * 540), 9999, ADVERTISEMENT)
        bad, good = self.server(always(error)), self.server(always(ok(REFS, ADVERTISEMENT)))
        self.assertEqual(self.client(self.proxy(bad, good)).ask(INFO_REFS).body, REFS)

    def test_chunk_extension_is_passed(self):
        answer = CHUNKED + RESULT + b"\r\n\r\n4;comment=" + b"x" * 40 + b"\r\n0000\r\n0\r\n\r\n"
        servers = [self.server(always(answer)) for _ in range(2)]
        self.assertEqual(self.client(self.proxy(*servers)).ask(upload_pack(CLONE_V2)).body, b"0000")

    def test_bad_chunk_is_told_at_once(self):
        answer = CHUNKED + RESULT + b"\r\n\r\nzz\r\n0000\r\n0\r\n\r\n"
        servers = [self.server(always(answer)) for _ in range(2)]
        self.assertEqual(self.client(self.proxy(*servers)).ask(upload_pack(CLONE_V2)).status, 502)

    def test_refs_that_end_with_the_connection_before_the_first(self):

        def script(peer):
            head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + ADVERTISEMENT + b"\r\n\r\n"
            peer.answer(head + line(b"# service=git-upload-pack\n") + b"0000")
            peer.close()
        bad, good = self.server(script), self.server(always(ok(REFS, ADVERTISEMENT)))
        self.assertEqual(self.client(self.proxy(bad, good)).ask(INFO_REFS).body, REFS)

    def test_fatal_message_behind_a_large_pack_reaches_the_client(self):
        body = line(b"packfile\n") + pack(3_000_000) + line(b"\x03aborting due to possible repository corruption\n")
        server = self.server(always(in_chunks(body, 8000, RESULT)))
        client = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"'))
        client.send(upload_pack(CLONE_V2))
        client.read_until_end_keeping()
        self.assertTrue(b"repository corruption" in client.record)


class Health(ProxyTest):
    def test_a_server_that_lives_again_is_not_left(self):
        """Both refused a moment ago; one is back, and needs 60 ms for its answer."""
        a, b = Reopened(), Reopened()
        proxy = self.proxy(a, b)
        self.assertEqual(self.client(proxy).ask(GET).status, 502)

        def script(peer):
            while True:
                peer.read_request()
                time.sleep(0.06)
                peer.send(ok(b"x"))
        self.keep(a.open(script))
        statuses = [self.client(proxy).ask(get(b"/%d" % n)).status for n in range(10)]
        b.holder.close()
        self.assertEqual(statuses, [200] * 10)

    def test_a_probed_server_comes_back(self):
        a = Reopened()
        other = self.server(always(ok(b"other")))
        often = 'probe_interval = "100ms"\nprobe_fast_interval = "100ms"\n'
        proxy = self.proxy(a, other, tables='probe = "tcp"\nslow_start = "off"\n' + often)
        for _ in range(4):
            self.client(proxy).ask(GET)
        self.keep(a.open(always(ok(b"back"))))
        end = time.monotonic() + 3
        bodies = set()
        while time.monotonic() < end and b"back" not in bodies:
            bodies.add(self.client(proxy).ask(GET).body)
            time.sleep(0.02)
        self.assertIn(b"back", bodies)

    def test_a_long_transfer_does_not_keep_its_server_out(self):
        """One connect fails while a long transfer is going on; then the server accepts again."""
        a = Reopened()
        release = threading.Event()

        def script(peer):
            while True:
                request = peer.read_request()
                if b"/long" in request.head.start_line:
                    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx")
                    release.wait(10)
                    peer.send(b"x" * 99)
                else:
                    peer.send(ok(b"a"))
        first = self.keep(a.open(script))
        other = self.server(always(ok(b"other")))
        proxy = self.proxy(a, other, tables='eject_time = "100ms"\neject_time_max = "100ms"\nslow_start = "off"')
        long_client = self.client(proxy)
        long_client.send(get(b"/long"))
        long_client.recv_head()
        while len(first.requests) < 1:
            pass
        stop_listening(first)
        for _ in range(4):
            self.client(proxy).ask(GET)      # one of them is refused
        self.assertGreaterEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 1)
        self.keep(ServerAt(a.port, always(ok(b"again"))))
        time.sleep(0.5)                                      # it is back in rotation
        bodies = [self.client(proxy).ask(GET).body for _ in range(40)]
        release.set()
        self.assertEqual(bodies.count(b"again"), 20, bodies)

    def test_the_time_of_an_attempt_is_its_own(self):
        """The first server thinks for longer than `idle` and breaks; the second one does not accept for a while."""

        def script(peer):
            peer.read_request()
            time.sleep(0.7)
            peer.close()
        first = self.server(script)
        silent = self.keep(SilentServer())
        third = self.server(always(ok(b"good")))
        proxy = self.proxy(first, silent, third, tables='connect = "400ms"\n[timeouts]\nidle = "500ms"\n')
        reply = self.client(proxy).ask(GET)
        self.assertEqual((reply.status, reply.body), (200, b"good"))

    def test_dead_git_behind_a_login_is_ejected(self):
        """Every operation begins with a 401, which asks no Git."""

        def dead(peer):
            while True:
                request = peer.read_request()
                if request.head.values("authorization"):
                    peer.send(ok(b"<html>oops", b"Content-Type: text/html"))
                else:
                    peer.send(ok(b"", b'WWW-Authenticate: Basic realm="g"', status=b"401 Unauthorized"))

        def good(peer):
            while True:
                request = peer.read_request()
                if request.head.values("authorization"):
                    peer.send(ok(REFS, ADVERTISEMENT))
                else:
                    peer.send(ok(b"", b'WWW-Authenticate: Basic realm="g"', status=b"401 Unauthorized"))
        bad, fine = self.server(dead), self.server(good)
        proxy = self.proxy(bad, fine)
        bodies = []
        for _ in range(100):
            client = self.client(proxy)
            client.ask(INFO_REFS)
            bodies.append(client.ask(INFO_REFS.replace(b"\r\n\r\n", b"\r\nAuthorization: Basic eDp5\r\n\r\n")).body)
        self.assertEqual(bodies.count(REFS), 100)

    def poisoned(self, answer_to_poison, poison, times=5):
        """Two good servers, one poisonous request. How many of 40 good ones does each get afterwards?"""

        def script(peer):
            while True:
                request = peer.read_request()
                peer.send(answer_to_poison if b"poison" in request.head.start_line else ok(REFS, ADVERTISEMENT))
        servers = [self.server(script) for _ in range(2)]
        proxy = self.proxy(*servers)
        for _ in range(times):
            self.client(proxy).ask(poison)
        before = [len(server.requests) for server in servers]
        for _ in range(40):
            self.client(proxy).ask(OTHER_REFS)
        return [len(server.requests) - was for server, was in zip(servers, before)]

    def test_one_client_cannot_eject_by_a_broken_repository(self):
        counts = self.poisoned(ok(line(b"ERR access denied"), ADVERTISEMENT), INFO_REFS.replace(b"repo", b"poison"))
        self.assertEqual(counts, [20, 20])

    def test_one_client_cannot_eject_by_500s(self):
        counts = self.poisoned(ok(b"no", status=b"500 Oh"), INFO_REFS.replace(b"repo", b"poison"))
        self.assertEqual(counts, [20, 20])

    def test_one_client_cannot_eject_by_a_long_answer_head(self):
        # Gogs: Set-Cookie: redirect_to=QueryEscape(target) is three times as long as a target of slashes.
        cookie = b"Set-Cookie: redirect_to=" + b"%2F" * 6000
        answer = ok(b"", b"Location: /user/login", cookie, status=b"302 Found")
        counts = self.poisoned(answer, get(b"/poison" + b"/" * 6000))
        self.assertEqual(counts, [20, 20])

    def test_idle_tunnels_say_nothing_of_their_server(self):
        upgrade = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

        def script(peer):
            while True:
                request = peer.read_request()
                if request.head.values("upgrade"):
                    peer.send(upgrade)
                    return
                peer.send(ok(b"x"))
        servers = [self.server(script) for _ in range(2)]
        proxy = self.proxy(*servers, tables='[timeouts]\nidle = "300ms"\n')
        clients = [self.client(proxy) for _ in range(10)]
        wants = (b"Connection: Upgrade", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13",
                 b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
        for client in clients:
            client.send(get(b"/ws", *wants))
            self.assertEqual(client.recv_head().status, 101)
        for client in clients:
            client.read_until_end()
        before = [len(server.requests) for server in servers]
        for _ in range(40):
            self.client(proxy).ask(GET)
        self.assertEqual([len(server.requests) - was for server, was in zip(servers, before)], [20, 20])

    def test_a_new_operation_on_an_old_connection_leaves_an_ejected_server(self):

        def script(name):

            def run(peer):
                while True:
                    request = peer.read_request()
                    bad = name == "a" and b"receive-pack" in request.head.start_line
                    if bad:
                        return peer.close()
                    peer.send(ok(REFS, ADVERTISEMENT))
            return run
        a, b = self.server(*[script("a")] * 60), self.server(*[script("b")] * 60)
        proxy = self.proxy(a, b)
        client = self.client(proxy)
        client.ask(INFO_REFS)
        self.assertEqual((len(a.requests), len(b.requests)), (1, 0))
        for _ in range(12):
            self.client(proxy).ask(git_post("receive-pack", b"0000PACK"))
        before = len(a.requests)
        for _ in range(10):
            self.client(proxy).ask(INFO_REFS)
        self.assertEqual(len(a.requests), before, "a is ejected")
        for _ in range(10):
            client.ask(INFO_REFS)
        self.assertEqual(len(a.requests), before, "new operations go on to an ejected server")


class Waiting(ProxyTest):
    def waits(self, warm):
        """A request waits for refs on a server that can't be reached any more. `warm`: on a pooled connection."""
        a = Reopened()

        def script(peer):
            while True:
                request = peer.read_request()
                if b"info/refs" not in request.head.start_line:
                    peer.send(ok(b"a"))
        first = self.keep(a.open(script))
        other = self.server(always(ok(REFS, ADVERTISEMENT)))
        proxy = self.proxy(a, other)
        if warm:
            for _ in range(2):  # each server once
                self.client(proxy).ask(GET)
        client = self.client(proxy)
        client.send(INFO_REFS)
        while not any(b"info/refs" in r.head.start_line for r in list(first.requests)):
            pass
        stop_listening(first)
        while proxy.metrics()["breakwater_server_connect_failures_total"] < 1:
            self.client(proxy).ask(GET)
        self.assertEqual(client.recv_response().body, REFS)  # long before `advertise` is over

    def test_on_a_pooled_connection(self):
        self.waits(True)

    def test_on_a_fresh_connection(self):
        self.waits(False)

    def test_a_server_that_answers_is_not_left_for_one_that_does_not(self):
        """Neither can be reached, but a pooled connection to one of them is alive: it answers after 60 ms."""
        a, b = Reopened(), Reopened()

        def script(peer):
            while True:
                peer.read_request()
                time.sleep(0.06)
                peer.send(ok(b"a"))
        first = self.keep(a.open(script))
        proxy = self.proxy(a, b)
        self.assertEqual(self.client(proxy).ask(GET).status, 200)
        stop_listening(first)
        one, two = self.client(proxy), self.client(proxy)
        one.send(GET)
        while len(first.requests) < 2:
            pass
        self.assertEqual(two.ask(GET).status, 502)
        self.assertEqual(one.recv_response().status, 200)
        statuses = [self.client(proxy).ask(GET).status for n in range(8)]
        b.holder.close()
        self.assertEqual(statuses, [200] * 8)

    def test_a_request_that_may_not_be_sent_again_is_counted_once(self):
        a = Reopened()
        release = threading.Event()

        def script(peer):
            while True:
                request = peer.read_request()
                if b"info/refs" in request.head.start_line:
                    release.wait(10)
                peer.send(ok(REFS, ADVERTISEMENT))
        first = self.keep(a.open(script))
        other = self.server(always(ok(b"x")))
        proxy = self.proxy(a, other, tables='retries = "off"')
        for _ in range(2):
            self.client(proxy).ask(GET)
        client = self.client(proxy)
        client.send(INFO_REFS)
        while not any(b"info/refs" in r.head.start_line for r in list(first.requests)):
            pass
        stop_listening(first)
        while proxy.metrics()["breakwater_server_connect_failures_total"] < 1:
            self.client(proxy).ask(GET)
        time.sleep(1.6)
        release.set()
        self.assertEqual(client.recv_response().status, 200)
        self.assertLessEqual(proxy.metrics()["breakwater_retries_over_budget_total"], 1)


if __name__ == "__main__":
    main()
