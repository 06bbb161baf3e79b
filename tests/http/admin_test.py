"""The admin listener: views and verbs over TCP and a unix socket, who may use them, and `breakwater ctl`."""

import contextlib
import json
import os
import re
import socket
import stat
import subprocess
import tempfile
import threading
import time

from support import (BREAKWATER, LAST_CHUNK, LOOPBACK, TIMEOUT, ProxyTest, RawClient, RefusingServer, Stream, always, get, git_post,
                     main, ok)

PART = b"8\r\n0008NAK\n\r\n"  # as much of Git's first words as shows that it lives
REST = b"5\r\nPACK1\r\n" + LAST_CHUNK
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nTransfer-Encoding: chunked\r\n\r\n" + PART
SECRET = b"canary-secret"


def info_refs(repository=b"/team/repo.git"):
    return get(repository + b"/info/refs?service=git-upload-pack")


def advertisement():
    body = b"001e# service=git-upload-pack\n0000" + b"003d" + b"1" * 40 + b" refs/heads/master\n" + b"0000"
    return ok(body, b"Content-Type: application/x-git-upload-pack-advertisement")


class UnixClient(Stream):
    """A raw client of a unix socket, with what RawClient has for reading answers."""

    recv_response = RawClient.recv_response

    def __init__(self, path):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(TIMEOUT)
        sock.connect(path)
        super().__init__(sock)


class AdminTest(ProxyTest):
    def setUp(self):
        super().setUp()
        self.go_on = threading.Event()
        self.addCleanup(self.go_on.set)

    def clone_server(self):
        """Answers info/refs whole, and begins a pack that it ends when the test says so. Web pages are its name."""

        def script(peer):
            while True:
                request = peer.read_request()
                if request.head.start_line.startswith(b"POST /team/repo.git/git-upload-pack"):
                    peer.send(BEGUN)
                    self.go_on.wait(TIMEOUT)
                    peer.send(REST)
                elif b"/info/refs" in request.head.start_line:
                    peer.send(advertisement())
                else:
                    peer.send(ok(str(server.port).encode()))

        server = self.server(script)
        return server

    def silent_server(self):
        """Never answers. Clients of it must reset, or the proxy waits on their behalf."""
        return self.server(lambda peer: peer.read_until_end())

    def waiting(self, proxy, request):
        client = self.client(proxy)
        client.send(request)
        self.addCleanup(client.reset)  # before the proxy is stopped
        return client

    def begin_clone(self, proxy):
        """A client whose clone has begun; which server it is on."""
        client = self.client(proxy)
        self.assertEqual(client.ask(info_refs()).status, 200)
        client.send(git_post("upload-pack", b"0000"))
        self.assertEqual(client.read_head().status, 200)
        self.assertEqual(client.read_exact(len(PART)), PART)
        row, = [row for row in self.operations(proxy)["operations"] if row["operation"] == "upload-pack"]
        return client, row["server"]

    def end_clone(self, client):
        self.go_on.set()
        self.assertEqual(client.read_exact(len(REST)), REST)

    def view(self, proxy, path):
        reply = proxy.admin(path, host=LOOPBACK.encode())
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(reply.head.value("content-type"), b"application/json")
        return json.loads(reply.body)

    def operations(self, proxy):
        return self.view(proxy, "/operations")

    def nothing_runs(self, proxy):
        """The page, once what was answered has ended for the proxy, too."""
        end = time.monotonic() + TIMEOUT
        while True:
            page = self.operations(proxy)
            if page["active"] == 0 or time.monotonic() >= end:
                return page

    def rows(self, proxy):
        """name -> row, of the only pool."""
        pool, = self.view(proxy, "/servers")["pools"]
        return {row["name"]: row for row in pool["servers"]}

    def ask(self, proxy, request):
        client = RawClient(proxy.admin_port)
        self.clients.append(client)
        return client.ask(request)

    def change(self, proxy, server, body, status=200, pool="main", fields=(b"Host: localhost",)):
        name = server if isinstance(server, str) else server.address
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [b"POST /servers/%s/%s HTTP/1.1" % (pool.encode(), name.encode()), *fields, b"Content-Length: %d" % len(body)]
        reply = self.ask(proxy, b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.assertEqual(reply.status, status, reply)
        return json.loads(reply.body) if status == 200 else reply.body.decode()

    def web(self, proxy):
        """Which server a new client gets."""
        client = self.client(proxy)
        return f"{LOOPBACK}:" + client.ask(get(b"/web")).body.decode()


class Servers(AdminTest):
    def test_every_pool_and_server_with_all_there_is_to_know(self):
        server = self.clone_server()
        gone = self.keep(RefusingServer())
        proxy = self.proxy(f"{server.address} weight=50", gone.address, f"{LOOPBACK}:1 backup", tables='balance = "round-robin"\n')
        for _ in range(2):
            self.assertEqual(self.client(proxy).ask(info_refs()).status, 200)
        self.nothing_runs(proxy)
        pool, = self.view(proxy, "/servers")["pools"]
        self.assertEqual((pool["name"], pool["method"], pool["panics"]), ("test", "round-robin", False))
        up, down, backup = pool["servers"]
        for name, value in {"name": server.address, "address": server.address, "state": "up", "reason": "", "back_in_seconds": None,
                            "operator_says": "ready", "agent_says": "ready", "agent_percent": 100, "weight": 50, "effective_weight": 50.0, "backup": False, "in_flight": 0,
                            "served": 2, "ejections": 0, "operations": 0, "max": None}.items():
            self.assertEqual(up[name], value, name)
        self.assertEqual(set(up["first_byte_ms"]), {"advertise", "negotiate", "pack", "other"})
        known = [average for average in up["first_byte_ms"].values() if average is not None]
        self.assertTrue(known and known[0] > 0)
        self.assertEqual((down["state"], down["reason"], down["ejections"]), ("down", "connect failed", 1))
        self.assertEqual((down["weight"], down["effective_weight"]), (100, 0))
        self.assertLess(down["for_seconds"], TIMEOUT)
        self.assertTrue(0 < down["back_in_seconds"] <= 5)
        self.assertTrue(backup["backup"])

    def test_one_server_by_itself(self):
        proxy = self.proxy(self.clone_server())
        row, = self.rows(proxy).values()
        self.assertEqual(self.view(proxy, f"/servers/main/{row['name']}")["name"], row["name"])

    def test_metrics_have_a_series_for_each_server(self):
        server = self.clone_server()
        proxy = self.proxy(server, f"{LOOPBACK}:1")
        self.change(proxy, f"{LOOPBACK}:1", {"state": "maintenance"})
        self.assertEqual(self.client(proxy).ask(info_refs()).status, 200)
        self.nothing_runs(proxy)
        client, _ = self.begin_clone(proxy)
        metrics = proxy.metrics()
        labels = f'pool="main",server="{server.address}"'
        for name, value in {f'server_state{{{labels},state="up"}}': 1, f'server_state{{{labels},state="down"}}': 0,
                            f'server_state{{pool="main",server="{LOOPBACK}:1",state="maintenance"}}': 1,
                            f"server_in_flight{{{labels}}}": 1, f"server_requests_total{{{labels}}}": 2,
                            f"server_ejections_total{{{labels}}}": 0, f"server_weight{{{labels}}}": 100,
                            'pool_panic{pool="main"}': 0}.items():
            self.assertEqual(metrics["breakwater_" + name], value, name)
        averages = [value for name, value in metrics.items() if name.startswith("breakwater_server_first_byte_seconds{" + labels)]
        self.assertTrue(averages and averages[0] > 0)
        self.end_clone(client)


    def test_what_its_agent_says_and_why_its_probe_failed(self):
        agent = self.server(lambda peer: (peer.send(b"drain 50%\n"), peer.close()))
        first, second = self.clone_server(), self.clone_server()
        proxy = self.proxy(first, second, tables=f'probe = "http /x 404"\nprobe_interval = "100ms"\nprobe_fast_interval = "100ms"\n'
                                                 f'agent_port = {agent.port}\nagent_interval = "100ms"\n')
        end = time.monotonic() + TIMEOUT
        row = {}
        while not (row.get("agent_says") == "drain" and row["state"] == "down") and time.monotonic() < end:
            row = self.rows(proxy)[first.address]
        self.assertEqual((row["agent_says"], row["agent_percent"], row["operator_says"]), ("drain", 50, "ready"))
        self.assertEqual((row["state"], row["reason"]), ("down", "probe failed: status 200"))
        self.change(proxy, first, {"state": "maintenance"}, pool="test")
        self.assertEqual(self.rows(proxy)[first.address]["reason"], "an operator said so")


class Operations(AdminTest):
    def test_nothing_runs(self):
        proxy = self.proxy(self.clone_server(), cores=2)
        self.client(proxy).ask(get(b"/web"))  # a client that is idle is no operation
        self.assertEqual(self.nothing_runs(proxy), {"active": 0, "shown": 0, "silent_cores": [], "operations": []})

    def test_a_stalled_transfer_shows_its_phase_and_bytes(self):
        server = self.clone_server()
        proxy = self.proxy(server)
        client, _ = self.begin_clone(proxy)
        time.sleep(0.05)  # nothing moves meanwhile
        page = self.operations(proxy)
        self.assertEqual((page["active"], page["shown"]), (1, 1))
        row, = page["operations"]
        for name, value in {"core": 0, "client": client.address, "pool": "main", "server": server.address, "operation": "upload-pack",
                            "repository": "team/repo", "phase": "response_body", "bytes_in": 4, "bytes_out": 8,
                            "attempts": 1}.items():
            self.assertEqual(row[name], value, name)
        self.assertGreaterEqual(row["idle_ms"], 50)
        self.assertGreaterEqual(row["age_ms"], row["idle_ms"])
        self.assertTrue(0 < row["bytes_per_second"] <= 12 / 0.05)
        self.end_clone(client)
        self.assertEqual(proxy.wait_for_log(lambda entry: entry["git"] == "upload-pack")["request_id"], row["id"])
        self.assertEqual(self.nothing_runs(proxy)["active"], 0)

    def test_one_that_waits_for_its_answer_and_one_whose_request_is_on_its_way(self):
        server = self.silent_server()
        proxy = self.proxy(server)
        self.waiting(proxy, get(b"/slow"))
        server.connection(0).wait_received(b"\r\n\r\n")
        self.waiting(proxy, git_post("receive-pack") + b"5\r\nhello\r\n")
        server.connection(1).wait_received(b"hello")
        rows = {row["phase"]: row for row in self.operations(proxy)["operations"]}
        self.assertEqual((rows["response_head"]["path"], rows["response_head"]["operation"]), ("/slow", "other"))
        self.assertEqual((rows["request"]["operation"], rows["request"]["bytes_in"]), ("receive-pack", 5))

    def test_one_that_waits_in_the_queue_says_for_what(self):
        server = self.clone_server()
        proxy = self.proxy(server, tables="max_operations = 1\n")
        client, _ = self.begin_clone(proxy)
        waiting = self.client(proxy)
        waiting.send(get(b"/web"))
        end = time.monotonic() + TIMEOUT
        rows = {}
        while "queue" not in rows and time.monotonic() < end:
            rows = {row["phase"]: row for row in self.operations(proxy)["operations"]}
        self.assertEqual((rows["queue"]["queued_for"], rows["queue"]["server"]), ("max_operations", ""))
        self.assertNotIn("queued_for", rows["response_body"])
        self.end_clone(client)
        client.close()  # its place is free
        self.assertEqual(waiting.recv_response().status, 200)

    def test_no_secret_gets_in(self):
        server = self.silent_server()
        proxy = self.proxy(server)
        self.waiting(proxy, get(b"/x?token=" + SECRET + b"&a=b", b"Authorization: Basic " + SECRET, b"Cookie: s=" + SECRET))
        server.connection(0).wait_received(b"\r\n\r\n")
        row, = self.operations(proxy)["operations"]
        self.assertEqual(row["path"], "/x?token=***&a=b")
        self.assertNotIn(SECRET.decode(), json.dumps(row))

    def test_on_all_cores_and_bounded_on_each(self):
        server = self.silent_server()
        proxy = self.proxy(server, cores=2)
        for _ in range(20):
            self.waiting(proxy, get(b"/slow"))
        server.connection(19).wait_received(b"\r\n\r\n")
        rows = self.operations(proxy)["operations"]
        self.assertEqual(len({row["id"] for row in rows}), 20)
        self.assertEqual({row["core"] for row in rows}, {0, 1})  # one core for all is as likely as 20 heads in a row

    def test_it_is_asked_while_requests_come_and_go(self):
        proxy = self.proxy(self.clone_server(), cores=2)
        stop = threading.Event()

        def requests():
            client = RawClient(proxy.port)
            while not stop.is_set():
                client.ask(get(b"/web"))
            client.close()

        threads = [threading.Thread(target=requests) for _ in range(3)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(30):
                self.assertEqual(self.operations(proxy)["silent_cores"], [])
                self.change(proxy, self.servers[0], {"weight": 1})
                self.change(proxy, self.servers[0], {"weight": 2})
                proxy.metrics()
        finally:
            stop.set()
            for thread in threads:
                thread.join(TIMEOUT)

    def test_while_it_drains(self):
        proxy = self.proxy(self.clone_server(), cores=2)
        client, _ = self.begin_clone(proxy)
        proxy.signal()
        proxy.stderr.wait_for(lambda line: line if "drain" in line else None)
        row, = self.operations(proxy)["operations"]
        self.assertEqual(row["operation"], "upload-pack")
        self.end_clone(client)

    def test_allocations_stand_still(self):
        proxy = self.proxy(self.clone_server())
        client, _ = self.begin_clone(proxy)
        before = proxy.metrics()["breakwater_allocations_total"]
        for _ in range(5):
            self.operations(proxy)
        self.assertEqual(proxy.metrics()["breakwater_allocations_total"], before)
        self.end_clone(client)


class Verbs(AdminTest):
    def two(self):
        return self.proxy(self.clone_server(), self.clone_server())

    def other(self, name):
        other, = {server.address for server in self.servers} - {name}
        return other

    def test_drain_lets_a_transfer_end_and_sends_what_is_new_elsewhere(self):
        proxy = self.two()
        client, name = self.begin_clone(proxy)
        self.assertEqual(self.change(proxy, name, {"state": "drain"})["state"], "draining")
        row = self.rows(proxy)[name]
        self.assertEqual((row["reason"], row["in_flight"], row["effective_weight"]), ("an operator said so", 1, 0))
        for _ in range(6):
            self.assertEqual(self.web(proxy), self.other(name))
        self.end_clone(client)
        self.assertEqual(proxy.wait_for_log(lambda entry: entry.get("git") == "upload-pack")["ended_by"], "done")
        self.change(proxy, name, {"state": "ready"})
        self.assertIn(name, {self.web(proxy) for _ in range(4)})

    def test_drain_keeps_an_operation_that_began_there(self):
        proxy = self.two()
        client = self.client(proxy)
        client.ask(info_refs())
        name = proxy.wait_for_log(lambda entry: entry.get("git"))["server"]
        self.change(proxy, name, {"state": "drain"})
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(PART)
        row, = self.operations(proxy)["operations"]
        self.assertEqual(row["server"], name)
        self.end_clone(client)

    def test_maintenance_lets_a_transfer_end_but_takes_nothing_new(self):
        proxy = self.two()
        client, name = self.begin_clone(proxy)
        self.assertEqual(self.change(proxy, name, {"state": "maintenance"})["state"], "maintenance")
        self.assertEqual({self.web(proxy) for _ in range(6)}, {self.other(name)})
        self.end_clone(client)
        client.ask(info_refs())  # the same connection goes elsewhere, too
        proxy.wait_for_log(lambda entry: entry.get("git") == "info/refs upload-pack" and entry["server"] == self.other(name))

    def test_weight(self):
        proxy = self.two()
        first, second = self.servers
        self.assertEqual(self.change(proxy, first, {"weight": 0})["weight"], 0)
        self.assertEqual({self.web(proxy) for _ in range(6)}, {second.address})
        row = self.rows(proxy)[first.address]
        self.assertEqual((row["state"], row["reason"]), ("up", "its weight is 0"))
        self.change(proxy, first, {"weight": 256})
        self.change(proxy, second, {"weight": 1})
        self.assertGreaterEqual([self.web(proxy) for _ in range(8)].count(first.address), 7)

    def test_both_at_once_and_each_change_is_logged_once(self):
        proxy = self.two()
        name = self.servers[0].address
        self.change(proxy, name, {"state": "drain", "weight": 7})
        self.change(proxy, name, {"state": "drain", "weight": 7})  # nothing changes
        self.change(proxy, name, {"weight": 8})
        last = proxy.wait_for_log(lambda entry: entry.get("event") == "admin" and entry["to"] == "8")
        entries = [entry for entry in proxy.log_lines() if entry.get("event") == "admin"]
        self.assertEqual([(entry["what"], entry["from"], entry["to"]) for entry in entries],
                         [("state", "ready", "drain"), ("weight", "100", "7"), ("weight", "7", "8")])
        self.assertRegex(last["who"], rf"^{re.escape(LOOPBACK)}:\d+$")
        self.assertRegex(last["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
        self.assertEqual((last["pool"], last["server"]), ("main", name))
        self.assertIn(f"state of main/{name}: ready -> drain", proxy.stderr.text())

    def test_names_are_percent_decoded(self):
        proxy = self.two()
        name = self.servers[0].address
        self.assertEqual(self.change(proxy, name.replace(":", "%3A").replace("1", "%31"), {"weight": 3})["name"], name)

    def test_errors_are_kind(self):
        proxy = self.two()
        first, second = (server.address for server in self.servers)
        said = self.change(proxy, "nope:1", {"state": "drain"}, 404)
        self.assertTrue("nope:1" in said and first in said and second in said, said)
        self.assertIn("pools are main", self.change(proxy, first, {"state": "drain"}, 404, pool="nope"))
        for body, words in ((b"", "empty"), (b"{", "no JSON object"), (b"[]", "no JSON object"), (b"{}", "nothing"),
                            (b'{"state":"drain"}x', "no JSON object"), ({"state": "up"}, '"ready", "drain" or "maintenance"'),
                            ({"state": 1}, '"ready"'), ({"state": None}, '"ready"'), ({"weight": -1}, "from 0 to 256"),
                            ({"weight": 257}, "from 0 to 256"), ({"weight": 1.5}, "from 0 to 256"), ({"weight": "5"}, "from 0 to 256"),
                            ({"weight": 2**64}, "from 0 to 256"), ({"weights": 5}, "`weights`"),
                            ({"a\n\x1b[2J": 5}, "`a??[2J`"), ({"state": "drain", "x": 1}, "`x`"),
                            (b'{"state":"drain","state":"ready"}', "twice"), (b'{"weight":1,"weight":1}', "twice"),
                            (b'{"state":"drain","st\\u0061te":"ready"}', "twice"), (b"[" * 4096, "no JSON object"),
                            (b'{"state":"\xff"}', "no JSON object"), (b'{"state":"drain"}\0', "no JSON object")):
            with self.subTest(body=body):
                self.assertIn(words, self.change(proxy, first, body, 400))
        self.assertEqual({row["operator_says"] for row in self.rows(proxy).values()}, {"ready"})
        self.assertNotIn("admin:", proxy.stderr.text())

    def test_bodies_are_bounded_and_framed(self):
        proxy = self.two()
        name = self.servers[0].address
        self.change(proxy, name, b'{"weight": 5' + b" " * 4083 + b"}", 200)
        self.assertIn("4096", self.change(proxy, name, b'{"weight": 6' + b" " * 4084 + b"}", 413))
        self.assertIn("4096", self.change(proxy, name, b" " * 60000, 413))
        head = b"POST /servers/main/%s HTTP/1.1\r\nHost: localhost\r\n" % name.encode()
        self.assertEqual(self.ask(proxy, head + b"Transfer-Encoding: chunked\r\n\r\n").status, 411)
        self.assertEqual(self.ask(proxy, head + b"\r\n").status, 400)  # no body at all
        client = RawClient(proxy.admin_port)
        self.clients.append(client)
        client.send(head + b"Content-Length: 12\r\nExpect: 100-continue\r\n\r\n")
        self.assertEqual(client.read_head().status, 100)
        client.send(b'{"weight":9}')
        self.assertEqual(json.loads(client.recv_response().body)["weight"], 9)

    def test_methods(self):
        proxy = self.two()
        name = self.servers[0].address.encode()
        for path, method, allowed in ((b"/servers", b"POST", b"GET, HEAD"), (b"/operations", b"DELETE", b"GET, HEAD"),
                                      (b"/metrics", b"POST", b"GET, HEAD"), (b"/servers/main/" + name, b"PUT", b"GET, HEAD, POST")):
            reply = self.ask(proxy, method + b" " + path + b" HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self.assertEqual((reply.status, reply.head.value("allow")), (405, allowed))
        for path in ("/servers/", "/servers/main", "/servers/main/", "/serversx", "/nope"):
            self.assertEqual(proxy.admin(path, host=b"localhost").status, 404, path)


class WhoMay(AdminTest):
    def test_no_web_page_may(self):
        """A page in an operator's browser: by its Origin, or by a name of its own that means 127.0.0.1."""
        server = self.clone_server()
        proxy = self.proxy(server)
        for fields in ((b"Host: localhost", b"Origin: http://evil.example"), (b"Host: localhost", b"Origin: null"),
                       (b"Host: evil.example",), (b"Host: evil.example:9090",), (b"Host: 127.0.0.1.evil.example",)):
            with self.subTest(fields=fields):
                self.change(proxy, server, {"state": "drain"}, 403, fields=fields)
                for path in (b"/servers", b"/operations", b"/servers/main/" + server.address.encode()):
                    reply = self.ask(proxy, b"GET " + path + b" HTTP/1.1\r\n" + b"\r\n".join(fields) + b"\r\n\r\n")
                    self.assertEqual(reply.status, 403)
                    self.assertNotIn(b'"', reply.body)
        self.assertEqual(proxy.admin("/metrics", host=b"edge1.example").status, 200)  # scrapers go by name
        self.assertEqual(proxy.admin("/healthz", host=b"edge1.example").status, 200)
        for host in (b"127.0.0.1:1", b"[::1]", b"LOCALHOST"):
            self.assertEqual(proxy.admin("/servers", host=host).status, 200)

    def test_only_what_this_machine_alone_reaches_changes_anything(self):
        server = self.clone_server()
        for bind, status in (("0.0.0.0:0", 403), (":0", 403), ("127.0.0.2:0", 200), ("[::1]:0", 200)):
            if bind.startswith("[") and not os.path.exists("/proc/net/if_inet6"):
                continue
            with self.subTest(bind=bind):
                proxy = self.proxy(server, admin=bind)
                host = {"127.0.0.2:0": "127.0.0.2", "[::1]:0": "::1"}.get(bind, LOOPBACK)
                with socket.create_connection((host, proxy.admin_port), TIMEOUT) as sock:
                    sock.sendall(b"POST /servers/main/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\n"
                                 b'{"weight":9}' % server.address.encode())
                    answer = sock.makefile("rb").read()
                self.assertIn(b"HTTP/1.1 %d " % status, answer)
                if status == 403:
                    self.assertIn(b"loopback", answer)
                with socket.create_connection((host, proxy.admin_port), TIMEOUT) as sock:
                    sock.sendall(b"GET /servers HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    self.assertIn(b'"weight": %d,' % (100 if status == 403 else 9), sock.makefile("rb").read())

    def test_a_slow_client_does_not_hold_up_the_next_one_for_long(self):
        """5 s for a request, however it trickles in."""
        proxy = self.proxy(self.clone_server())
        slow = RawClient(proxy.admin_port)
        self.clients.append(slow)
        begun = time.monotonic()
        slow.send(b"GET /hea")
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.5) and slow.try_send(b"x"):
                pass

        thread = threading.Thread(target=trickle)
        thread.start()
        try:
            with socket.create_connection((LOOPBACK, proxy.admin_port), 10) as sock:
                sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
                self.assertIn(b"200 OK", sock.makefile("rb").read())
            self.assertTrue(4 < time.monotonic() - begun < 8, time.monotonic() - begun)
        finally:
            stop.set()
            thread.join(TIMEOUT)

    def test_one_that_says_nothing_does_not_hold_up_the_end(self):
        proxy = self.proxy(self.clone_server())
        silent = RawClient(proxy.admin_port)
        self.clients.append(silent)
        silent.send(b"GET /")
        time.sleep(0.05)
        begun = time.monotonic()
        proxy.stop()
        self.assertLess(time.monotonic() - begun, 3)


class OnAUnixSocket(AdminTest):
    def setUp(self):
        super().setUp()
        folder = tempfile.TemporaryDirectory(prefix="breakwater-http-")
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "admin.sock")
        self.backend = self.clone_server()

    def start(self, **options):
        return self.proxy(self.backend, admin="unix:" + self.path, **options)

    def ask_unix(self, request):
        client = UnixClient(self.path)
        self.clients.append(client)
        client.send(request)
        return client.recv_response()

    def test_its_mode_its_views_and_its_verbs(self):
        old = os.umask(0)
        try:
            proxy = self.start()
        finally:
            os.umask(old)
        mode = os.lstat(self.path).st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        self.assertEqual(self.ask_unix(b"GET /servers HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)
        path = b"/servers/main/" + self.backend.address.encode()
        reply = self.ask_unix(b"POST " + path + b' HTTP/1.1\r\nHost: localhost\r\nContent-Length: 17\r\n\r\n{"state":"drain"}')
        self.assertEqual(json.loads(reply.body)["state"], "draining")
        self.assertEqual(proxy.wait_for_log(lambda entry: "event" in entry)["who"], f"uid {os.getuid()}")
        proxy.stop()
        self.assertFalse(os.path.exists(self.path))

    def test_from_the_file(self):
        self.proxy(self.backend, admin=None, tables=f'[admin]\nbind = "unix:{self.path}"\n')
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").body, b"ok\n")

    def test_an_old_file_that_nobody_listens_on_is_replaced(self):
        with socket.socket(socket.AF_UNIX) as left_behind:
            left_behind.bind(self.path)
        self.start()
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)

    def fails(self):
        done = subprocess.run([BREAKWATER, "run", "--listen", f"{LOOPBACK}:0", "--backend", f"{LOOPBACK}:1", "--cores", "1", "--admin",
                               "unix:" + self.path], capture_output=True, timeout=TIMEOUT, text=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertIn(self.path, done.stderr)
        return done.stderr

    def test_one_that_drained_kept_the_next_from_starting(self):
        old = self.start()
        client = self.client(old)
        client.send(git_post("upload-pack", b"0000"))
        client.read_until(PART)
        old.signal()
        old.stderr.wait_for(lambda line: line if "drain" in line else None)
        new = self.start()
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").body, b"ok\n")
        self.end_clone(client)
        self.assertEqual(old.wait_exit(), 0)
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").body, b"ok\n")
        new.stop()
        self.assertFalse(os.path.exists(self.path))

    def listening_at_the_path(self, serve):
        """A program of which `serve` has the one connection, once it has asked."""
        listening = self.enterContext(socket.socket(socket.AF_UNIX))
        listening.bind(self.path)
        listening.listen()

        def run():
            sock, _ = listening.accept()
            with sock:
                sock.recv(1000)
                serve(sock)

        thread = threading.Thread(target=run)
        thread.start()
        self.addCleanup(thread.join, TIMEOUT)

    def test_one_that_drained_and_answered_late_kept_the_next_from_starting(self):
        """Waiting for it was interrupted by what a ring had left to do at its end."""

        def serve(sock):
            time.sleep(0.2)
            sock.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 9\r\nConnection: close\r\n\r\ndraining\n")

        self.listening_at_the_path(serve)
        self.start()
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").body, b"ok\n")

    def test_one_that_says_a_byte_now_and_then_does_not_hold_up_the_start(self):
        def serve(sock):
            with contextlib.suppress(OSError):  # until it gives up
                for byte in b"HTTP/1.1 503 Service Unavailable":
                    sock.sendall(bytes([byte]))
                    time.sleep(0.3)

        self.listening_at_the_path(serve)
        begun = time.monotonic()
        self.assertIn("another program listens there", self.fails())
        self.assertLess(time.monotonic() - begun, 5)

    def test_another_program_that_says_503_and_one_that_says_nothing_keep_theirs(self):
        for answer in (b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nbusy\n", b""):
            with socket.socket(socket.AF_UNIX) as listening:
                listening.bind(self.path)
                listening.listen()

                def serve():
                    sock, _ = listening.accept()
                    with sock:
                        sock.recv(1000)
                        sock.sendall(answer)
                        if not answer:
                            sock.recv(1000)  # until it gives up

                thread = threading.Thread(target=serve)
                thread.start()
                self.assertIn("another program listens there", self.fails())
                thread.join(TIMEOUT)
                self.assertTrue(os.path.exists(self.path))
                os.unlink(self.path)

    def test_what_is_anothers_stays(self):
        proxy = self.start()
        self.assertIn("another program listens there", self.fails())
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)
        proxy.stop()
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("precious")
        self.assertIn("no socket", self.fails())
        with open(self.path, encoding="utf-8") as file:
            self.assertEqual(file.read(), "precious")
        self.path = os.path.join(self.path + "-no-folder", "admin.sock")
        self.assertIn("No such file", self.fails())

    def test_the_old_process_leaves_the_new_ones_file(self):
        old = self.start()
        os.unlink(self.path)  # as a cleaner of /run may
        self.start()
        old.stop()
        self.assertEqual(self.ask_unix(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n").status, 200)


class Ctl(AdminTest):
    def run_ctl(self, *arguments, status=0):
        done = subprocess.run([BREAKWATER, "ctl", *arguments], capture_output=True, timeout=2 * TIMEOUT, text=True, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertEqual(done.stdout == "", status != 0)
        return done.stdout if status == 0 else done.stderr

    def test_tables_and_verbs(self):
        server, other = self.clone_server(), self.clone_server()
        proxy = self.proxy(server, other)
        at = ("-s", f"{LOOPBACK}:{proxy.admin_port}")
        self.change(proxy, other, {"weight": 0})
        client, name = self.begin_clone(proxy)
        self.assertEqual(name, server.address)
        titles, first, second = self.run_ctl(*at, "servers").splitlines()
        self.assertTrue(titles.startswith("POOL  SERVER"), titles)
        self.assertRegex(first, rf"^main  {name} +up +\d+\.\ds +100 +1 +1 +0 ")
        self.assertRegex(second, rf"^main  {other.address} .* its weight is 0$")
        titles, row = self.run_ctl(*at, "operations").splitlines()
        self.assertEqual(len(titles.split("  ")[0]), 2)  # ID
        self.assertRegex(row, rf"^[0-9a-f]{{16}}  {client.address} +main  {name} +upload-pack +team/repo +response_body .* 4B +8B +\S+/s +1$")
        self.assertEqual(self.run_ctl(*at, "drain", f"main/{name}"), f"{name}: draining, weight 0 of 100, 1 in flight\n")
        self.assertIn(": maintenance,", self.run_ctl("maintenance", f"main/{name}", *at))
        self.assertEqual(self.run_ctl(*at, "ready", f"main/{name}"), f"{name}: up, weight 100, 1 in flight\n")
        self.assertIn("weight 7,", self.run_ctl(*at, "weight", f"main/{name}", "7"))
        self.assertEqual(json.loads(self.run_ctl(*at, "--json", "servers"))["pools"][0]["servers"][0]["weight"], 7)
        self.assertEqual(json.loads(self.run_ctl(*at, "operations", "--json"))["active"], 1)
        self.end_clone(client)

    def test_a_unix_socket_and_a_server_with_slashes_in_its_name(self):
        with tempfile.TemporaryDirectory(prefix="breakwater-http-") as folder:
            address = f"unix:{folder}/admin.sock"
            backend = f"unix:{folder}/100%25.sock"
            proxy = self.proxy(backend, admin=address)
            self.assertEqual(self.run_ctl("-s", address, "drain", f"main/{backend}"),
                             f"{backend}: draining, weight 0 of 100, 0 in flight\n")
            proxy.stop()

    def test_a_name_of_the_machine_is_sent_as_its_number(self):
        proxy = self.proxy(self.clone_server(), admin=f"{LOOPBACK}:0")
        self.assertIn("POOL", self.run_ctl("-s", f"localhost:{proxy.admin_port}", "servers"))

    def test_errors(self):
        server = self.clone_server()
        proxy = self.proxy(server)
        at = f"{LOOPBACK}:{proxy.admin_port}"
        self.assertIn(server.address, self.run_ctl("-s", at, "drain", "main/nope:1", status=1))
        gone = self.keep(RefusingServer())
        self.assertIn("refused", self.run_ctl("-s", gone.address, "servers", status=1))
        self.assertIn("No such file", self.run_ctl("-s", "unix:/no/such/socket", "servers", status=1))
        self.assertIn("port", self.run_ctl("-s", "localhost", "servers", status=2))
        self.run_ctl("-s", at, "weight", f"main/{server.address}", "257", status=2)
        noise = self.server(always(b"hello\r\n\r\n"))
        self.assertIn("HTTP", self.run_ctl("-s", f"{LOOPBACK}:{self.closing(noise)}", "servers", status=1))

    def closing(self, server):
        def script(peer):
            peer.answer(b"hello\r\n\r\n")
            peer.close()

        server.scripts = (script,)
        return server.port


if __name__ == "__main__":
    main()
