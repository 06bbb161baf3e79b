"""Servers that are asked whether they live, and their agents: who gets requests, and when."""

import errno
import socket
import threading
import time

from support import (GET, LOOPBACK, TIMEOUT, ProxyTest, RefusingServer, ScriptedServer, SilentServer, always,
                     chunked, get, git_post, main, ok)

FAST = 'probe_interval = "100ms"\nprobe_fast_interval = "100ms"\nslow_start = "off"\npanic = "off"\n'
TCP = 'probe = "tcp"\n' + FAST
HTTP = 'probe = "http /health"\n' + FAST
GIT = 'probe = "git /team/canary.git"\n' + FAST
AGENT = 'slow_start = "off"\npanic = "off"\nagent_interval = "100ms"\nagent_port = %d\n'

ADVERTISEMENT = b"Content-Type: application/x-git-upload-pack-advertisement"
SERVICE = b"001e# service=git-upload-pack\n0000"
VERSION_2 = SERVICE + b"000eversion 2\n0015agent=git/2.39.5\n0000"
ERROR = SERVICE + b"0022ERR upload-pack: not our ref abc"


class SwitchedServer(ScriptedServer):
    """A server that may stop to listen on its port, and listen there again."""

    def _listen(self):
        self.holder = self._bind(0)  # nobody else can have the port meanwhile
        self.port = self.holder.getsockname()[1]
        self.address = f"{LOOPBACK}:{self.port}"
        self.listener = self._bind(self.port)
        self.listener.listen(64)

    @staticmethod
    def _bind(port):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((LOOPBACK, port))
        return sock

    def go_down(self):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes who accepts
        self.threads[0].join(TIMEOUT)
        self.listener.close()
        for peer in self.connections:
            peer.end()

    def go_up(self):
        self.listener = self._bind(self.port)
        self.listener.listen(64)
        self.threads[0] = threading.Thread(target=self._accept, daemon=True)
        self.threads[0].start()

    def close(self):
        super().close()
        self.holder.close()


def is_probe(request):
    return any(value.endswith(b" probe") for value in request.head.values("user-agent"))


class Health:
    """A script: probes get `answer` (bytes, or something that is called with the peer), requests the server's name."""

    def __init__(self, name, answer=ok()):
        self.name, self.answer = name, answer

    def __call__(self, peer):
        while True:
            request = peer.read_request()
            if not is_probe(request):
                peer.send(ok(self.name))
            elif callable(self.answer):
                return self.answer(peer)  # one probe to a connection
            else:
                peer.send(self.answer)
                peer.shutdown_write()


class Agent:
    """A script: says `line` to whoever connects."""

    def __init__(self, line):
        self.line = line

    def __call__(self, peer):
        peer.try_send(self.line)
        peer.shutdown_write()


class ProbeTest(ProxyTest):
    def wait_for(self, condition, what):
        """`condition` asks the proxy for something each time, so this waits for its answers."""
        until = time.monotonic() + TIMEOUT
        while not condition():
            self.assertLess(time.monotonic(), until, what)

    def wait_for_count(self, proxy, name, count):
        self.wait_for(lambda: proxy.metrics()[f"breakwater_{name}_total"] >= count, f"not {count} {name}")

    def wait_for_more(self, proxy, name, more):
        self.wait_for_count(proxy, name, proxy.metrics()[f"breakwater_{name}_total"] + more)

    def answers(self, proxy, count=20):
        """Who answers so many requests, each on a connection of its own."""
        got = []
        for number in range(count):
            client = self.client(proxy)
            got.append(client.ask(get(b"/%d" % number)).body)
            client.close()
        return got

    def wait_for_answer_of(self, proxy, name):
        self.wait_for(lambda: name in self.answers(proxy, 4), f"{name} gets no requests")

    def assert_only(self, proxy, name):
        self.assertEqual(set(self.answers(proxy)), {name})


class Tcp(ProbeTest):
    def test_who_is_dead_from_the_start_gets_no_request(self):
        proxy = self.proxy(self.keep(RefusingServer()), self.server(always(ok(b"good"))), tables=TCP)
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"good")
        self.assertEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 0)

    def test_all_cores_hear_of_it(self):
        proxy = self.proxy(self.keep(RefusingServer()), self.server(always(ok(b"good"))), tables=TCP, cores=2)
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"good")
        self.assertEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 0)

    def test_one_that_dies_is_left_and_found_again(self):
        switched = self.keep(SwitchedServer(always(ok(b"switched"))))
        proxy = self.proxy(switched, self.server(always(ok(b"good"))), tables=TCP + "probe_rise = 3\n")
        self.wait_for_count(proxy, "probes_sent", 2)
        self.assertEqual(set(self.answers(proxy)), {b"switched", b"good"})
        for _ in range(2):
            switched.go_down()
            self.wait_for_more(proxy, "probes_failed", 2)
            self.assert_only(proxy, b"good")
            before = len(switched.connections)
            switched.go_up()
            self.wait_for_answer_of(proxy, b"switched")
            silent = [peer for peer in switched.connections[before:] if not peer.requests]
            self.assertGreaterEqual(len(silent), 3, "it came back before it had risen")
        self.assertEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 0)

    def test_one_that_never_accepts_is_left_in_time(self):
        proxy = self.proxy(self.keep(SilentServer()), self.server(always(ok(b"good"))),
                           tables=TCP + 'probe_timeout = "50ms"\n')
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"good")
        self.assertEqual(proxy.metrics()["breakwater_timeouts_total"], 0)

    def test_the_return_of_one_that_refused_a_request_is_noticed_long_before_the_next_probe_is_due(self):
        tables = ('probe = "tcp"\nprobe_interval = "1h"\nprobe_fast_interval = "100ms"\nprobe_fall = 50\n'
                  'slow_start = "off"\n')
        switched, good = self.keep(SwitchedServer(always(ok(b"switched")))), self.server(always(ok(b"good")))
        proxy = self.proxy(switched, good, tables=tables)
        self.wait_for_count(proxy, "probes_sent", 2)  # and then none for an hour
        switched.go_down()
        self.assert_only(proxy, b"good")
        self.assertEqual(proxy.metrics()["breakwater_server_connect_failures_total"], 1)
        self.wait_for_count(proxy, "probes_failed", 1)
        switched.go_up()
        self.wait_for_answer_of(proxy, b"switched")

    def test_where_all_are_down_requests_are_tried_nevertheless(self):
        switched = self.keep(SwitchedServer(always(ok(b"switched"))))
        proxy = self.proxy(switched, tables=TCP + "probe_rise = 100\n")
        switched.go_down()
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_own_reply(proxy, self.client(proxy).ask(GET), 502)
        switched.go_up()
        self.assert_only(proxy, b"switched")


class Http(ProbeTest):
    def proxy_of(self, health, tables):
        self.probed = self.server(health)
        return self.proxy(self.probed, self.server(Health(b"good")), tables=tables)

    def test_what_is_asked(self):
        server = self.server(Health(b"x"))
        proxy = self.proxy(server, tables=HTTP)
        probe = self.first_probe(server)
        version = probe.head.value("user-agent").split(b" ")[0]
        self.assertRegex(version, rb"^breakwater/\d+\.\d+\.\d+$")
        self.assertEqual(probe.head.raw, b"GET /health HTTP/1.1\r\nHost: " + server.address.encode() + b"\r\nUser-Agent: " +
                         version + b" probe\r\nAccept: */*\r\nConnection: close\r\n\r\n")
        self.wait_for_count(proxy, "probes_sent", 3)
        metrics = proxy.metrics()
        self.assertEqual(metrics["breakwater_probes_failed_total"], 0)
        self.assertEqual(metrics["breakwater_requests_total"], 0)
        self.assertEqual(metrics["breakwater_server_connects_total"], 0)

    def first_probe(self, server):
        peer = server.connection(0)
        peer.wait_requests(1)
        return peer.requests[0]

    def test_another_status_is_down_until_it_is_the_right_one_again(self):
        health = Health(b"probed")
        proxy = self.proxy_of(health, HTTP)
        self.wait_for_answer_of(proxy, b"probed")
        health.answer = ok(status=b"503 Service Unavailable")
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"good")
        health.answer = ok()
        self.wait_for_answer_of(proxy, b"probed")

    def test_which_status_is_the_right_one(self):
        proxy = self.proxy_of(Health(b"probed", ok(status=b"200 OK")), HTTP.replace("/health", "/health 204"))
        self.wait_for_count(proxy, "probes_failed", 4)  # both servers say 200
        fine = Health(b"fine", b"HTTP/1.1 204 No Content\r\n\r\n")
        proxy = self.proxy_of(fine, HTTP.replace("/health", "/health 204"))
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"fine")

    def test_one_failure_less_than_it_takes_to_fall_is_forgiven(self):
        bad = ok(status=b"500 Internal Server Error")
        turns = iter(())

        def answer(peer):
            nonlocal turns
            turn = next(turns, None)
            if turn is None:
                turns = iter((bad, bad, ok()))
                turn = next(turns)
            peer.send(turn)
            peer.shutdown_write()

        proxy = self.proxy_of(Health(b"probed", answer), HTTP + "probe_fall = 3\n")
        for failures in (2, 4, 6):
            self.wait_for_count(proxy, "probes_failed", failures)
            self.assertIn(b"probed", self.answers(proxy, 2))

    def test_answers_that_are_none(self):
        bad = {
            "silence": lambda peer: peer.read_until_end(),
            "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
            "nothing": b"",
            "a reset": lambda peer: peer.reset(),
            "no HTTP": b"220 smtp.example ready\r\n",
            "two framings": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
            "a head without end": b"HTTP/1.1 200 OK\r\n" + b"X-Field: value\r\n" * 4000,
            "only interim": b"HTTP/1.1 103 Early Hints\r\n\r\n" * 3,
        }
        for name, answer in bad.items():
            with self.subTest(name):
                proxy = self.proxy_of(Health(b"probed", answer), HTTP + 'probe_timeout = "500ms"\n')
                self.wait_for_count(proxy, "probes_failed", 2)
                self.assert_only(proxy, b"good")

    def test_answers_that_come_in_their_own_way(self):
        whole = ok(b"all is well", status=b"200 Fine")

        def byte_by_byte(peer):
            for byte in whole:
                if not peer.try_send(bytes([byte])):
                    return

        good = {
            "bytes": byte_by_byte,
            "interim first": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + whole,
            "HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\nfine",
            "a body without end": b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nx",
        }
        for name, answer in good.items():
            with self.subTest(name):
                proxy = self.proxy_of(Health(b"probed", answer), HTTP)
                self.wait_for_count(proxy, "probes_sent", 6)
                self.assertIn(b"probed", self.answers(proxy, 2))
                self.assertEqual(proxy.metrics()["breakwater_probes_failed_total"], 0)


class Git(ProbeTest):
    def test_what_is_asked(self):
        server = self.server(Health(b"x", ok(VERSION_2, ADVERTISEMENT)))
        self.proxy(server, tables=GIT)
        peer = server.connection(0)
        peer.wait_requests(1)
        head = peer.requests[0].head
        self.assertEqual(head.start_line, b"GET /team/canary.git/info/refs?service=git-upload-pack HTTP/1.1")
        self.assertEqual(head.value("git-protocol"), b"version=2")
        self.assertEqual(head.value("host"), server.address.encode())

    def test_advertisements(self):
        head = b"HTTP/1.1 200 OK\r\n" + ADVERTISEMENT + b"\r\n"
        reference = b"00b5" + b"1" * 40 + b" HEAD\0" + b"capability" * 13
        for name, answer in {
                "version 2": ok(VERSION_2, ADVERTISEMENT),
                "version 0": ok(SERVICE + reference, ADVERTISEMENT),
                "an empty repository": ok(SERVICE + b"0000", ADVERTISEMENT),
                "in small chunks": head + b"Transfer-Encoding: chunked\r\n\r\n" + chunked(*[bytes([b]) for b in VERSION_2]),
                "until close": head + b"\r\n" + VERSION_2}.items():
            with self.subTest(name):
                server = self.server(Health(b"probed", answer))
                proxy = self.proxy(server, tables=GIT)
                self.wait_for_count(proxy, "probes_sent", 3)
                self.assertEqual(proxy.metrics()["breakwater_probes_failed_total"], 0)

    def test_what_is_none_is_down(self):
        html, plain = b"Content-Type: text/html; charset=utf-8", b"Content-Type: text/plain"
        bad = {
            "a web page": ok(b"<html>log in</html>", html),
            "a list of refs": ok(b"1" * 40 + b"\trefs/heads/main\n", plain),
            "an error of Git's": ok(ERROR, ADVERTISEMENT),
            "a long error of Git's": ok(SERVICE + b"fff0ERR " + b"x" * 30000, ADVERTISEMENT),
            "no refs": ok(SERVICE, ADVERTISEMENT),
            "no refs until close": b"HTTP/1.1 200 OK\r\n" + ADVERTISEMENT + b"\r\n\r\n" + SERVICE,
            "not found": ok(VERSION_2, ADVERTISEMENT, status=b"404 Not Found"),
            "log in": ok(b"", b'WWW-Authenticate: Basic realm="x"', status=b"401 Unauthorized"),
        }
        for name, answer in bad.items():
            with self.subTest(name):
                good = Health(b"good", ok(VERSION_2, ADVERTISEMENT))
                proxy = self.proxy(self.server(Health(b"probed", answer)), self.server(good), tables=GIT)
                self.wait_for_count(proxy, "probes_failed", 2)
                self.assert_only(proxy, b"good")

    def test_down_and_back(self):
        health = Health(b"probed", ok(b"<html>", b"Content-Type: text/html"))
        good = Health(b"good", ok(VERSION_2, ADVERTISEMENT))
        proxy = self.proxy(self.server(health), self.server(good), tables=GIT)
        self.wait_for_count(proxy, "probes_failed", 2)
        self.assert_only(proxy, b"good")
        health.answer = good.answer
        self.wait_for_answer_of(proxy, b"probed")


class Agents(ProbeTest):
    """Two servers on two addresses of one host, each with its agent on the same port."""

    def setUp(self):
        super().setUp()
        self.lines = [Agent(b"up ready 100%\n"), Agent(b"up ready 100%\n")]
        self.agents = []

    def start(self, tables=""):
        servers = [self.keep(HostServer(f"127.0.0.{index + 2}", 0, always(ok(b"%d" % index)))) for index in range(2)]
        self.agents = [self.keep(agent) for agent in self.on_one_port()]
        return self.proxy(*servers, tables=AGENT % self.agents[0].port + tables)

    def on_one_port(self):
        """Somebody else may have the port on the other address."""
        while True:
            first = HostServer("127.0.0.2", 0, self.lines[0])
            try:
                return first, HostServer("127.0.0.3", first.port, self.lines[1])
            except OSError as error:
                first.close()
                if error.errno != errno.EADDRINUSE:
                    raise

    def say(self, proxy, line):
        """Once the agent of server 0 has said it, and it was heard."""
        self.lines[0].line = line
        self.wait_for_more(proxy, "agents_asked", 4)

    def test_its_words(self):
        proxy = self.start()
        for line in (b"down\n", b"failed # the disk is full\n", b"stopped", b"drain\r\n", b"maint", b"0%\n", b"ready down,up drain"):
            with self.subTest(line):
                self.say(proxy, line)
                self.assert_only(proxy, b"1")
                self.say(proxy, b"up ready 100%\n")
                self.assertEqual(set(self.answers(proxy)), {b"0", b"1"})

    def test_a_share_of_the_weight(self):
        proxy = self.start()
        for line, parts in ((b"50%\n", 10), (b"25%\n", 6), (b"100%\n", 15), (b"up\n", 15)):
            self.say(proxy, line)
            self.assertAlmostEqual(self.answers(proxy, 30).count(b"0"), parts, delta=1)

    def test_what_is_no_word_changes_nothing(self):
        proxy = self.start()
        self.say(proxy, b"down\n")
        for line in (b"", b"HTTP/1.1 400 Bad Request\r\n", b"x" * 256 + b" up\n", b"\n", b"# up\n"):
            with self.subTest(line):
                failed = proxy.metrics()["breakwater_agents_failed_total"]
                self.say(proxy, line)
                self.assertGreater(proxy.metrics()["breakwater_agents_failed_total"], failed)
                self.assert_only(proxy, b"1")

    def test_one_that_can_not_be_reached_changes_nothing(self):
        proxy = self.start()
        self.say(proxy, b"drain\n")
        self.agents[0].listener.shutdown(socket.SHUT_RDWR)
        self.wait_for_more(proxy, "agents_failed", 3)
        self.assert_only(proxy, b"1")

    def test_down_stands_whatever_probes_say(self):
        proxy = self.start('probe = "tcp"\nprobe_interval = "100ms"\n')
        self.say(proxy, b"down\n")
        self.wait_for_more(proxy, "probes_sent", 6)
        self.assert_only(proxy, b"1")
        self.say(proxy, b"up\n")
        self.assertEqual(set(self.answers(proxy)), {b"0", b"1"})


class HostServer(ScriptedServer):
    """On an address and a port that the test chose."""

    def __init__(self, host, port, *scripts):
        self.host, self.port = host, port
        super().__init__(*scripts)

    def _listen(self):
        self.listener = socket.create_server((self.host, self.port), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.address = f"{self.host}:{self.port}"


class Endings(ProbeTest):
    """A proxy ends at once, whatever its probes wait for; ProxyTest sees to that when it stops it."""

    def test_while_a_probe_waits_to_be_accepted(self):
        proxy = self.proxy(self.keep(SilentServer()), tables=TCP + 'probe_timeout = "1m"\n')
        self.wait_for_count(proxy, "probes_sent", 1)
        proxy.stop()

    def test_while_a_probe_waits_for_its_answer(self):
        server = self.server(Health(b"x", lambda peer: peer.read_until_end()))
        proxy = self.proxy(server, tables=HTTP + 'probe_timeout = "1m"\n')
        server.connection(0).wait_requests(1)
        proxy.stop()
        self.assertIn(server.connection(0).wait_end(), ("fin", "reset"))

    def test_while_an_agent_says_nothing(self):
        agent = self.server(lambda peer: peer.read_until_end())
        tables = (AGENT % agent.port).replace("100ms", "1h")
        proxy = self.proxy(self.server(always(ok(b"x"))), tables=tables)
        agent.connection(0)
        proxy.stop()
        self.assertEqual(agent.connection(0).wait_end(), "fin")

    def test_while_nothing_is_due(self):
        proxy = self.proxy(self.server(always(ok(b"x"))), tables='probe = "tcp"\nprobe_interval = "1h"\n')
        self.wait_for_count(proxy, "probes_sent", 1)
        proxy.stop()

    def test_a_drained_proxy_that_still_serves_asks_nobody(self):
        release = threading.Event()

        def script(peer):
            if is_probe(peer.read_request()):
                return peer.send(ok())
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx")
            release.wait(TIMEOUT)
            return peer.send(b"y")

        proxy = self.proxy(self.server(script), tables=HTTP)
        client = self.client(proxy)
        client.send(git_post("upload-pack", b"0000"))
        self.assertEqual(client.recv_head().status, 200)
        self.wait_for_count(proxy, "probes_sent", 2)
        proxy.signal()
        proxy.stderr.wait_for(lambda line: line.startswith("draining"))
        asked = [proxy.metrics()["breakwater_probes_sent_total"] for _ in range(300)]
        self.assertEqual(asked[1], asked[-1])
        release.set()
        self.assertEqual(client.recv_until_close(), b"xy")
        self.assertEqual(proxy.wait_exit(), 0)


if __name__ == "__main__":
    main()
