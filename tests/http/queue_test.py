"""Limits of a pool: what waits, in which order, for how long, and what is told to come again."""

import json
import subprocess
import threading
import time

from support import BREAKWATER, GET, LOOPBACK, TIMEOUT, ProxyTest, get, git_post, main, ok
from git_death_test import ADVERTISEMENT, REFS
from upload_pack_framing_test import ANSWER_V2, CLONE_V2, OID, RESULT, line


def refs(repository="team/repo"):
    return get(f"/{repository}.git/info/refs?service=git-upload-pack".encode(), b"Git-Protocol: version=2")


def clone(repository="team/repo"):
    body = git_post("upload-pack", CLONE_V2, f"/{repository}.git".encode())
    return body.replace(b"\r\n", b"\r\nGit-Protocol: version=2\r\n", 1)


class Gate:
    """A server script that answers Git, but lets a POST (or a GET) wait until the gate is opened for it."""

    def __init__(self, method=b"POST"):
        self.tickets = threading.Semaphore(0)
        self.method = method  # of the requests that wait

    def open(self, count=1):
        for _ in range(count):
            self.tickets.release()

    def script(self, peer):
        while True:
            message = peer.read_request()
            if message.head.method == self.method:
                self.tickets.acquire(timeout=20)
            if message.head.method == b"POST":
                peer.send(ok(ANSWER_V2, RESULT))
            else:
                peer.send(ok(REFS, ADVERTISEMENT))


class Waiting(ProxyTest):
    def pool(self, tables, cores=1):
        self.gate = Gate()
        self.addCleanup(self.gate.open, 100)
        self.upstream = self.server(*[self.gate.script] * 100)
        self.front = self.proxy(self.upstream, tables='upload_pack_framing = "chunked"\n' + tables, cores=cores)

    def runs(self, repository="team/repo"):
        """A client whose clone is inside, and waits for its pack."""
        client = self.client(self.front)
        self.assertEqual(client.ask(refs(repository)).status, 200)
        client.send(clone(repository))
        return client

    def waits(self, repository="team/repo", source=None):
        length = self.length()
        client = self.client(self.front, source=source)
        client.send(refs(repository))
        self.wait_for_length(length + 1)
        return client

    def length(self):
        return self.front.metrics()["breakwater_queue_length"]

    def wait_for_length(self, wanted):
        for _ in range(2000):
            if self.length() == wanted:
                return
        self.fail(f"the queue's length is {self.length()}, not {wanted}")

    def finish(self, client):
        self.finish_with(client, ANSWER_V2)

    def finish_with(self, client, answer):
        self.gate.open()
        self.assertEqual(client.recv_response().body, answer)

    def finish_all(self, clients):
        """Of several that are at the gate nobody knows which one goes first."""
        self.gate.open(len(clients))
        for client in clients:
            self.assertEqual(client.recv_response().body, ANSWER_V2)

    def posts(self):
        return [request for request in self.upstream.requests if request.head.method == b"POST"]

    def wait_for_posts(self, count):
        """Until so many are at the server."""
        end = time.monotonic() + TIMEOUT
        while len(self.posts()) < count:
            self.assertLess(time.monotonic(), end, f"{len(self.posts())} POSTs, not {count}")


class Queue(Waiting):
    def test_an_operation_waits_for_its_place_and_then_runs(self):
        for limit in ("max_operations", "max_fetches", "max_per_repository", "max_per_client"):
            with self.subTest(limit):
                self.pool(f"{limit} = 1\n")
                first = self.runs()
                second = self.waits()
                self.finish(first)
                self.assertEqual(second.recv_response().body, REFS)
                second.send(clone())
                self.finish(second)
                entry = self.front.wait_for_log(lambda entry: "queued_for" in entry)
                self.assertEqual((entry["queued_for"], entry["status"], entry["ended_by"]), (limit, 200, "done"))
                self.assertGreater(entry["queue_ms"], 0)
                metrics = self.front.metrics()
                self.assertEqual(metrics["breakwater_queue_waits_total"], 1)
                self.assertEqual(metrics['breakwater_queue_wait_seconds_count{pool="test"}'], 1)
                self.assertAlmostEqual(metrics['breakwater_queue_wait_seconds_sum{pool="test"}'], entry["queue_ms"] / 1000, 3)

    def test_a_place_is_kept_between_the_requests_of_an_operation(self):
        self.pool("max_operations = 1\n")
        first = self.client(self.front)
        first.ask(refs())  # and now its client thinks
        second = self.waits()
        first.send(clone())  # not refused, and not behind the second
        self.finish(first)
        self.assertEqual(second.recv_response().status, 200)

    def test_a_client_that_leaves_gives_its_place_back(self):
        self.pool("max_operations = 1\n")
        first = self.client(self.front)
        first.ask(refs())
        second = self.waits()
        first.close()
        self.assertEqual(second.recv_response().status, 200)

    def test_one_that_waits_and_leaves_is_forgotten(self):
        self.pool("max_operations = 1\n")
        first = self.runs()
        second, third = self.waits(), self.waits()
        second.reset()
        self.wait_for_length(1)
        self.finish(first)
        self.assertEqual(third.recv_response().status, 200)

    def test_a_full_queue_says_what_and_how_long(self):
        for limit, status in (("max_operations", 503), ("max_per_repository", 429), ("max_per_client", 429)):
            with self.subTest(limit):
                self.pool(f"{limit} = 1\nqueue = 1\n")
                first = self.runs()
                waiting = self.waits()
                reply = self.client(self.front).ask(refs())
                self.assertEqual(reply.status, status)
                self.assertGreaterEqual(int(reply.head.value("retry-after")), 1)
                self.assertIn(f"{limit} of pool test; position 2 in the queue".encode(), reply.body)
                self.finish(first)
                self.assertEqual(waiting.recv_response().status, 200)
                self.assertEqual(self.front.metrics()["breakwater_queue_refusals_total"], 1)

    def test_a_wait_that_is_too_long_ends(self):
        self.pool('max_per_repository = 1\nqueue_timeout = "50ms"\n')
        first = self.runs()
        reply = self.client(self.front).ask(refs())
        self.assertEqual(reply.status, 429)
        self.assertIn(b"position 1 in the queue", reply.body)
        entry = self.front.wait_for_log(lambda entry: entry["status"] == 429)
        self.assertEqual((entry["phase"], entry["queued_for"], entry["timeout"]), ("queue", "max_per_repository", "queue_timeout"))
        self.finish(first)

    def test_without_a_queue_nobody_waits(self):
        self.pool('max_operations = 1\nqueue = "off"\n')
        first = self.runs()
        self.assertEqual(self.client(self.front).ask(refs()).status, 503)
        self.finish(first)

    def test_a_push_or_a_fetch_in_the_middle_is_never_refused(self):
        self.pool('max_operations = 1\nqueue = "off"\n')
        first = self.runs()
        clients = [first]
        for request in (clone("team/other"), git_post("receive-pack", b"0000PACK")):
            clients.append(self.client(self.front))
            clients[-1].send(request)
        self.gate.open(3)
        for client in clients:
            self.assertEqual(client.recv_response().body, ANSWER_V2)

    def order_of(self, waiting):
        """In which order these get their turns, each leaving as soon as it has it."""
        order = []
        while len(order) < len(waiting):
            for name, client in waiting.items():
                if name not in order and client.has_something():
                    self.assertEqual(client.recv_response().status, 200)
                    client.close()
                    order.append(name)
        return order

    def test_no_repository_starves_another(self):
        self.pool("max_operations = 1\n")
        first = self.runs()
        waiting = {f"busy {number}": self.waits("team/busy", source=f"127.0.{number}.2") for number in range(1, 6)}
        waiting["quiet"] = self.waits("team/quiet", source="127.0.99.2")
        self.finish(first)
        first.close()
        self.assertEqual(self.order_of(waiting).index("quiet"), 1)

    def test_no_client_starves_another(self):
        self.pool("max_operations = 1\n")
        first = self.runs()
        waiting = {f"greedy {number}": self.waits(f"team/{number}", source="127.0.1.2") for number in range(5)}
        waiting["modest"] = self.waits("team/modest", source="127.0.99.2")
        self.finish(first)
        first.close()
        self.assertEqual(self.order_of(waiting).index("modest"), 1)

    def test_who_waits_for_something_else_is_passed_by(self):
        self.pool("max_per_repository = 1\n")
        first = self.runs("team/busy")
        waiting = self.waits("team/busy")
        other = self.client(self.front)
        self.assertEqual(other.ask(refs("team/other")).status, 200)
        self.finish(first)
        self.assertEqual(waiting.recv_response().status, 200)

    def test_the_web_has_limits_of_its_own(self):
        self.pool("max_web = 1\nmax_lfs = 1\n")
        first = self.runs()
        for _ in range(3):
            self.assertEqual(self.client(self.front).ask(GET).status, 200)
        self.finish(first)

    def test_limits_are_for_all_cores_together(self):
        self.pool("max_operations = 2\n", cores=2)
        running = [self.runs(), self.runs()]
        waiting = {number: self.waits() for number in range(6)}
        self.finish_all(running)
        for client in running:
            client.close()
        # On whichever core, each has its turn as the others leave.
        self.assertEqual(sorted(self.order_of(waiting)), list(range(6)))

    def test_a_drain_lets_those_that_wait_have_their_turn(self):
        self.pool("max_operations = 1\n")
        first = self.runs()
        second = self.waits()
        self.front.signal()
        self.finish(first)
        self.assertEqual(second.recv_response().status, 200)


class OfServers(Waiting):
    """`max` behind a server: operations that may run on it at a time."""

    def pool(self, words, tables="", cores=1):
        """A server for each of `words`, which stand behind its address."""
        self.gate = Gate()
        self.addCleanup(self.gate.open, 100)
        self.upstreams = [self.server(*[self.gate.script] * 100) for _ in words]
        servers = [f"{server.address} {word}" for server, word in zip(self.upstreams, words)]
        self.front = self.proxy(*servers, tables='upload_pack_framing = "chunked"\n' + tables, cores=cores)

    def requests_of(self, number):
        return [request.head.method for request in self.upstreams[number].requests]

    def test_a_full_server_is_passed_over_and_if_all_are_full_one_waits(self):
        self.pool(["max=1", "max=1"])
        running = [self.runs(), self.runs()]
        for number in range(2):
            self.upstreams[number].connection(0).wait_requests(2)
            self.assertEqual(self.requests_of(number), [b"GET", b"POST"])
        waiting = self.waits()
        self.finish_all(running)
        self.assertEqual(waiting.recv_response().status, 200)
        entry = self.front.wait_for_log(lambda entry: "queued_for" in entry)
        self.assertEqual((entry["queued_for"], entry["status"]), ("max of a server", 200))

    def test_an_operation_in_the_middle_goes_to_its_server_whatever_the_limit(self):
        self.pool(["max=1"])
        first = self.client(self.front)
        first.ask(refs())
        stranger = self.client(self.front)  # whose info/refs was somewhere else
        stranger.send(clone("team/other"))
        first.send(clone())
        self.finish_all([first, stranger])

    def test_its_agent_moves_the_limit_while_it_runs(self):
        said = [b"maxconn:1"]

        def agent(peer):
            peer.send(said[0] + b"\n")
            peer.close()

        agents = self.server(agent)
        self.pool([""], f'agent_port = {agents.port}\nagent_interval = "100ms"\n')
        self.wait_for_limit(1)
        first = self.runs()
        second = self.waits()
        said[0] = b"up maxconn:0"
        self.assertEqual(second.recv_response().status, 200)
        self.wait_for_limit(0)
        self.finish(first)

    def wait_for_limit(self, wanted):
        label = f'{{pool="test",server="{self.upstreams[0].address}"}}'
        end = time.monotonic() + TIMEOUT
        while self.front.metrics()["breakwater_server_operations_max" + label] != wanted:
            self.assertLess(time.monotonic(), end)

    def test_a_refusal_names_the_limit(self):
        self.pool(["max=1"], 'queue = "off"\n')
        first = self.runs()
        reply = self.client(self.front).ask(refs())
        self.assertEqual(reply.status, 503)
        self.assertIn(b"max of a server of pool test; position 1 in the queue", reply.body)
        self.assertGreaterEqual(int(reply.head.value("retry-after")), 1)
        self.finish(first)
        self.assertEqual(self.client(self.front).ask(refs()).status, 200)

    def test_a_place_moves_with_its_operation_to_another_server(self):
        dead = self.server(lambda peer: peer.reset())
        self.gate = Gate()
        self.addCleanup(self.gate.open, 100)
        alive = self.server(*[self.gate.script] * 100)
        self.front = self.proxy(f"{dead.address} max=1", f"{alive.address} max=1",
                                tables='upload_pack_framing = "chunked"\neject_errors = "off"\nqueue = "off"\n')
        first = self.runs()  # it is begun on the server that resets
        self.assertEqual(len(dead.connections), 1)
        metrics = self.front.metrics()
        labels = [f'{{pool="test",server="{server.address}"}}' for server in (dead, alive)]
        self.assertEqual([metrics["breakwater_server_operations" + each] for each in labels], [0, 1])
        self.finish(first)

    def test_a_web_page_and_an_object_of_dumb_http_count_while_they_are_answered(self):
        self.pool(["max=1"])
        page = self.client(self.front)
        self.assertEqual(page.ask(GET).status, 200)
        self.assertEqual(self.client(self.front).ask(GET).status, 200)
        first = self.runs()
        length = self.length()
        page.send(GET)
        self.wait_for_length(length + 1)
        self.finish(first)
        self.assertEqual(page.recv_response().status, 200)


HAVE = line(b"have " + OID + b"\n")


def fetch(repository="team/repo"):
    """The last POST of a client that has something."""
    body = CLONE_V2.replace(line(b"done\n"), HAVE + line(b"done\n"))
    return git_post("upload-pack", body, f"/{repository}.git".encode()).replace(b"\r\n", b"\r\nGit-Protocol: version=2\r\n", 1)


class OfParts(Waiting):
    """`max_advertisements` and `max_clones`: work inside operations, for as long as one request."""

    def asks_for_a_clone(self, length):
        client = self.client(self.front)
        client.ask(refs())
        client.send(clone())
        self.wait_for_length(length)
        return client

    def test_a_clone_waits_for_its_pack_and_then_gets_it(self):
        self.pool("max_clones = 1\n")
        first = self.runs()
        self.wait_for_posts(1)
        second = self.asks_for_a_clone(1)
        third = self.client(self.front)  # has something, so it is no clone
        third.ask(refs())
        third.send(fetch())
        self.wait_for_posts(2)
        self.assertEqual(self.length(), 1)
        self.finish_all([first, second, third])
        entry = self.front.wait_for_log(lambda entry: "queued_for" in entry)
        self.assertEqual((entry["queued_for"], entry["git"], entry["status"]), ("max_clones", "upload-pack", 200))
        self.assertNotIn("reason", entry)

    def test_a_clone_that_waited_long_enough_begins_all_the_same_and_the_log_says_so(self):
        self.pool('max_clones = 1\nqueue_timeout = "50ms"\n')
        first = self.runs()
        self.wait_for_posts(1)
        second = self.runs()
        self.wait_for_posts(2)
        self.finish_all([first, second])
        entry = self.front.wait_for_log(lambda entry: "queued_for" in entry)
        self.assertEqual((entry["queued_for"], entry["status"], entry["ended_by"]), ("max_clones", 200, "done"))
        self.assertGreaterEqual(entry["queue_ms"], 50)
        self.assertIn("began over max_clones", entry["reason"])

    def test_a_clone_for_which_the_queue_has_no_room_is_not_refused(self):
        self.pool("max_clones = 1\nqueue = 1\n")
        first = self.runs()
        self.wait_for_posts(1)
        second = self.asks_for_a_clone(1)
        third = self.runs()
        self.wait_for_posts(2)
        self.finish_all([first, second, third])

    def test_a_client_that_leaves_while_its_clone_waits_is_forgotten(self):
        for leave in ("reset", "half_close"):
            with self.subTest(leave):
                self.pool("max_clones = 1\nmax_operations = 3\n")
                first = self.runs()
                self.wait_for_posts(1)
                second = self.asks_for_a_clone(1)
                getattr(second, leave)()
                self.wait_for_length(0)
                self.finish(first)
                self.assertEqual(len(self.posts()), 1)

    def test_a_clone_is_let_in_past_operations_that_did_not_begin(self):
        self.pool("max_clones = 1\nmax_operations = 2\n")
        first = self.runs()
        self.wait_for_posts(1)
        second = self.client(self.front)
        second.ask(refs())
        outside = self.waits()
        second.send(clone())
        self.wait_for_length(2)
        self.finish(first)
        self.finish(second)
        self.assertEqual(outside.recv_response().status, 200)

    def test_an_advertisement_has_its_place_until_it_is_answered(self):
        self.gate = Gate(b"GET")
        self.addCleanup(self.gate.open, 100)
        self.upstream = self.server(*[self.gate.script] * 100)
        self.front = self.proxy(self.upstream, tables="max_advertisements = 1\n")
        first = self.client(self.front)
        first.send(refs())
        self.upstream.connection(0).wait_requests(1)
        second = self.waits()
        self.gate.open()
        self.assertEqual(first.recv_response().body, REFS)  # and its operation goes on
        self.gate.open()
        self.assertEqual(second.recv_response().body, REFS)
        self.assertEqual(first.ask(clone()).body, ANSWER_V2)
        entry = self.front.wait_for_log(lambda entry: "queued_for" in entry)
        self.assertEqual(entry["queued_for"], "max_advertisements")

    def test_one_that_asks_again_with_a_password_waits_as_well(self):
        def script(peer):
            while True:
                message = peer.read_request()
                if not message.head.values("authorization"):
                    peer.send(ok(status=b"401 Unauthorized"))
                else:
                    self.gate.tickets.acquire(timeout=20)
                    peer.send(ok(REFS, ADVERTISEMENT))

        self.gate = Gate()
        self.addCleanup(self.gate.open, 100)
        self.upstream = self.server(script)
        self.front = self.proxy(self.upstream, tables='max_advertisements = 1\nqueue = "off"\n')
        with_password = refs().replace(b"\r\n", b"\r\nAuthorization: Basic dTpw\r\n", 1)
        first, second = self.client(self.front), self.client(self.front)
        for client in (first, second):
            self.assertEqual(client.ask(refs()).status, 401)
        first.send(with_password)
        self.upstream.connection(0)
        end = time.monotonic() + TIMEOUT
        while not any(request.head.values("authorization") for request in self.upstream.requests):
            self.assertLess(time.monotonic(), end)
        reply = second.ask(with_password)
        self.assertEqual(reply.status, 503)
        self.assertIn(b"max_advertisements of pool test", reply.body)
        self.finish_with(first, REFS)


class InTheOpen(Waiting):
    """`/queue` and `breakwater ctl queue`: everything that waits, on every core."""

    def page(self):
        reply = self.front.admin("/queue", host=b"localhost")
        self.assertEqual((reply.status, reply.head.value("content-type")), (200, b"application/json"))
        return json.loads(reply.body)

    def table(self):
        address = f"{LOOPBACK}:{self.front.admin_port}"
        return subprocess.run([BREAKWATER, "ctl", "-s", address, "queue"], capture_output=True, text=True, check=True).stdout

    def test_nobody_waits(self):
        self.pool("max_operations = 1\n", cores=2)
        first = self.runs()
        self.assertEqual(self.page(), {"waiting": 0, "shown": 0, "silent_cores": [], "queue": []})
        self.assertEqual(len(self.table().splitlines()), 1)
        self.finish(first)

    def test_all_there_is_to_know_of_one_that_waits(self):
        self.pool('max_per_repository = 1\nqueue_timeout = "30s"\n')
        first = self.runs()
        self.waits("team/repo", source="127.0.7.2")
        second = self.waits("team/repo", source="127.0.8.2")
        page = self.page()
        self.assertEqual((page["waiting"], page["shown"], page["silent_cores"]), (2, 2, []))
        self.assertEqual([row["position"] for row in page["queue"]], [1, 2])
        row = page["queue"][1]
        for name, value in {"core": 0, "client": second.address, "pool": "test", "reason": "max_per_repository", "class": "fetch",
                            "network": "127.0.8.0/24", "operation": "info/refs upload-pack", "repository": "team/repo"}.items():
            self.assertEqual(row[name], value, name)
        self.assertEqual(len(row["id"]), 16)
        self.assertAlmostEqual(row["waited_ms"] + row["deadline_ms"], 30_000, delta=1)
        self.assertGreaterEqual(page["queue"][0]["waited_ms"], row["waited_ms"])
        titles, *lines = self.table().splitlines()
        self.assertEqual(titles.split()[:3], ["POOL", "CORE", "POSITION"])
        self.assertEqual(len(lines), 2)
        self.assertIn("max_per_repository  fetch  team/repo", lines[1])
        self.assertIn("127.0.8.0/24", lines[1])
        self.gate.open(10)
        self.assertEqual(first.recv_response().status, 200)

    def test_a_clone_a_page_and_one_without_a_server_each_say_what_they_wait_for(self):
        self.gate = Gate()
        self.addCleanup(self.gate.open, 100)
        self.upstream = self.server(*[self.gate.script] * 100)
        self.front = self.proxy(f"{self.upstream.address} max=2", tables="max_clones = 1\n")
        first = self.runs()
        self.wait_for_posts(1)
        second = self.client(self.front)
        second.ask(refs())
        second.send(clone())
        self.wait_for_length(1)
        third = self.client(self.front)
        third.send(get(b"/page?token=secret"))
        self.wait_for_length(2)
        rows = {row["class"]: row for row in self.page()["queue"]}
        self.assertEqual({name: row["reason"] for name, row in rows.items()}, {"clone": "max_clones", "web": "max of a server"})
        self.assertEqual(rows["clone"]["operation"], "upload-pack")
        self.assertEqual(rows["web"]["path"], "/page?token=***")
        self.finish(first)
        self.finish(second)
        self.assertEqual(third.recv_response().status, 200)

    def test_of_all_cores_each_once(self):
        self.pool("max_operations = 1\n", cores=2)
        first = self.runs()
        waiting = [self.waits() for _ in range(20)]
        rows = self.page()["queue"]
        self.assertEqual(sorted(row["client"] for row in rows), sorted(client.address for client in waiting))
        for core in {row["core"] for row in rows}:
            positions = [row["position"] for row in rows if row["core"] == core]
            self.assertEqual(positions, list(range(1, len(positions) + 1)))
        self.gate.open(10)
        self.assertEqual(first.recv_response().status, 200)

    def test_web_pages_can_not_ask(self):
        self.pool("max_operations = 1\n")
        self.assertEqual(self.front.admin("/queue", host=b"evil.example").status, 403)
        self.assertEqual(self.front.admin("/queue", method=b"POST", host=b"localhost").status, 405)


class Adaptive(Waiting):
    LIMIT = 'breakwater_pool_operations_limit{pool="test"}'

    def test_it_rises_while_it_is_reached_and_answers_are_quick(self):
        self.pool("max_operations = 64\nadaptive_min = 1\n")
        self.assertEqual(self.front.metrics()[self.LIMIT], 1)
        client, until = self.client(self.front), time.monotonic() + 6 * TIMEOUT
        number = 0
        while self.front.metrics()[self.LIMIT] == 1 and time.monotonic() < until:
            number += 1  # an operation of its own each
            self.assertEqual(client.ask(refs(f"team/repo{number}")).status, 200)
        self.assertGreater(self.front.metrics()[self.LIMIT], 1)

    def test_a_refusal_says_what_it_is_now(self):
        self.pool('max_operations = 64\nadaptive_min = 1\nqueue = "off"\n')
        first = self.runs()
        reply = self.client(self.front).ask(refs("team/other"))
        self.assertEqual(reply.status, 503)
        self.assertIn(b"max_operations of pool test, now 1;", reply.body)
        self.finish(first)
        page = json.loads(self.front.admin("/servers", host=b"127.0.0.1").body)["pools"][0]
        self.assertEqual(page["operations_limit"], 1)


if __name__ == "__main__":
    main()
