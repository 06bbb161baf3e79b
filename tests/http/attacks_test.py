#!/usr/bin/env python3
"""Clients that want to use the proxy up: it stays, within the memory that docs/memory.md adds up, serves others, and counts.

Each test has an attack, and a client that behaves, on a connection of its own and on new ones, before and meanwhile; an attack
that comes in waves has it served between them, too. With BREAKWATER_TEST_FIGURES=1 it prints how many requests a second that
one got; docs/hostile-input.md has the figures.
Out of descriptors, buffers and pipes: scarcity_test.py. Limits of operations: queue_test.py.
"""

import json
import os
import re
import resource
import socket
import ssl
import struct
import tempfile
import time
from pathlib import Path

from support import LOOPBACK, TIMEOUT, ProxyTest, get, git_post, main, ok, pattern
from tls_test import hello
from upload_pack_framing_test import CLONE_V2, HEAD, UNTIL_CLOSE, line, pack, upload_pack

KIB, MIB = 1024, 1024 * 1024
FIGURES = bool(os.environ.get("BREAKWATER_TEST_FIGURES"))
QUICK = '[timeouts]\nclient_pace = "64KiB"\nclient_pace_window = "200ms"\n'
LARGE = pattern(24 * MIB)  # more than the sockets on its way hold
LARGE_ANSWER = ok(LARGE)
LARGE_PACK = line(b"packfile\n") + pack(len(LARGE)) + b"0000"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # leaves no port behind that waits
PORTS_OF_ONE = 4000  # of an address: where most are taken the kernel looks long for one that is free
BIND_ADDRESS_NO_PORT = 24  # linux/in.h: the port is looked for when it is connected
FIRST_CHUNK = git_post("receive-pack") + b"5\r\nhello\r\n"


def raise_descriptor_limit(wanted):
    """For this process and what it starts; how many there are then. Beyond the hard limit if that is allowed."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for limit in (max(wanted, hard), hard):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
            return limit
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def documented_bytes(connections=0, requests=0, tls=False, head_buffers=1024, bulk_buffers=128):
    """The sum of docs/memory.md for one core."""
    buffers = head_buffers * 20 + max(head_buffers // 4, 16) * 20 + bulk_buffers * 128 + 512 * 20
    rest = KIB + 64 + 68 + (256 * 11 if tls else 0)
    return (buffers + rest + connections * (8 if tls else 4) + requests * (16 + 1)) * KIB


def served(peer):
    while peer.read_request() and peer.try_send(ok(b"served")):
        pass


def pushes_are_not_answered(peer):
    while True:
        if b"receive-pack" in peer.read_head().start_line:
            return peer.read_until_end()
        peer.send(ok(b"served"))


class Attacked(ProxyTest):
    def setUp(self):
        super().setUp()
        self.sockets = []
        self.addCleanup(lambda: [sock.close() for sock in self.sockets])

    def start(self, *scripts, **options):
        self.backend = self.server(*(scripts or [served]))
        self.breakwater = self.proxy(self.backend, **options)
        self.friend = self.client(self.breakwater)
        self.quiet = self.rate()
        self.before = self.memory("VmRSS")

    # ---- the client that behaves

    def rate(self, requests=150):
        """Requests a second, but for the longest one, which may have waited for its turn."""
        began = asked = time.monotonic()
        self.longest = 0
        for number in range(requests):
            client = self.client(self.breakwater) if number % 10 == 0 else self.friend
            self.assertEqual(client.ask(get(b"/friend")).body, b"served")
            if client is not self.friend:
                self.clients.remove(client)
                client.close()
            self.longest = max(self.longest, time.monotonic() - asked)
            asked = time.monotonic()
        return (requests - 1) / (asked - began - self.longest)

    def check_served(self, attack):
        rate = self.rate()
        if FIGURES:
            print(f"\n{attack}: {rate:.0f} requests/s, {self.quiet:.0f} before, {100 * (1 - rate / self.quiet):.0f} % slower, "
                  f"the longest {1000 * self.longest:.0f} ms; {(self.memory('VmHWM') - self.before) / MIB:.1f} MiB more", flush=True)

    def check_served_meanwhile(self):
        """Between two waves of the attack: on its own connection, and on a new one."""
        late = self.client(self.breakwater)
        for client in (self.friend, late):
            self.assertEqual(client.ask(get(b"/friend")).body, b"served")
        self.clients.remove(late)
        late.close()

    # ---- those that do not

    def crowd(self, count, says=b""):
        """So many connections, each of which has said that."""
        sockets = []
        for number in range(count):
            sock = socket.socket()
            sockets.append(sock)
            sock.settimeout(TIMEOUT)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            if number >= PORTS_OF_ONE:
                sock.setsockopt(socket.IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1)
                sock.bind((f"127.0.0.{1 + number // PORTS_OF_ONE}", 0))
            try:
                sock.connect((LOOPBACK, self.breakwater.port))
                sock.sendall(says)
            except ConnectionError:
                pass  # it is refused already
        self.sockets += sockets
        return sockets

    def status_of(self, sock):
        """Of the answer that comes before the end of that connection; 0: none."""
        got = b""
        try:
            while data := sock.recv(65536):
                got += data
        except OSError:
            pass
        return int(got[9:12]) if got else 0

    # ---- the proxy

    def memory(self, what):
        status = Path(f"/proc/{self.breakwater.process.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * KIB

    def is_sanitized(self):
        return "libasan" in Path(f"/proc/{self.breakwater.process.pid}/maps").read_text()

    def check_memory(self, **held):
        if self.is_sanitized():
            return  # it keeps what was given back, and much besides
        self.assertLess(self.memory("VmHWM") - self.before, documented_bytes(**held))

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.breakwater.process.pid}/fd"))

    def metric(self, name):
        return self.breakwater.metrics()[f"breakwater_{name}"]

    def wait_for_metric(self, name, least):
        self.wait_until(lambda: self.metric(name) >= least, f"{name} did not come to {least}")

    def wait_until_gone(self):
        self.wait_until(lambda: self.metric("connections_open") == 1, "connections stay")


class Connections(Attacked):
    def test_twenty_thousand_that_say_nothing_cost_what_is_documented(self):
        pipes = 16
        limit = raise_descriptor_limit(2 * (20_000 + pipes) + 400)
        count = min(20_000, (limit - 2 * pipes - 128) // 2 - 100)  # a server connection for each must fit as well
        with self.subTest("all of them"):
            if count < 20_000:
                self.skipTest(f"this machine allows {limit} descriptors, so {count} connections say nothing, not 20,000")
        self.start(tables=f"[limits]\nconnections = 20100\npipes = {pipes}\n")
        self.crowd(count)
        self.wait_for_metric("connections_open", count)
        self.check_served(f"{count} idle connections")
        self.check_memory(connections=count)
        each = (self.memory("VmRSS") - self.before) / count
        if FIGURES:
            print(f"{each:.0f} bytes each", flush=True)

    def test_more_than_the_limit_are_refused_and_who_is_inside_is_served(self):
        self.start(tables='[limits]\nconnections = 50\n[timeouts]\nhead = "1h"\n')
        self.wait_until_gone()
        self.friend.send(get(b"/friend")[:20])
        self.crowd(49, get(b"/")[:20])
        self.wait_for_metric("connections_open", 50)
        told = self.crowd(64, get(b"/crowd"))
        closed = self.crowd(100)
        self.assertEqual({self.status_of(sock) for sock in closed}, {0})
        for sock in told:
            self.assertEqual(self.status_of(sock), 503)
        self.assertEqual(self.metric("connections_refused_total"), 164)
        self.assertEqual(self.friend.ask(get(b"/friend")[20:]).body, b"served")

    def test_those_that_say_nothing_give_their_places_up(self):
        """They kept everybody out for as long as a client may be idle."""
        self.start(tables="[limits]\nconnections = 50\n")
        self.wait_until_gone()
        idle = self.crowd(49)
        self.wait_for_metric("connections_open", 50)

        def is_served():
            late = self.crowd(1, get(b"/late", b"Connection: close"))[0]
            status = self.status_of(late)
            late.close()
            return status == 200

        self.wait_until(is_served, "nobody else is served")
        self.assertGreaterEqual(self.metric("idle_clients_closed_total"), 1)
        self.assertEqual(self.status_of(idle[0]), 0)

    def test_churn_leaves_nothing_behind(self):
        self.start()
        descriptors = self.descriptors()
        for says, count in ((b"", 6000), (get(b"/")[:20], 3000), (get(b"/gone"), 300), (FIRST_CHUNK, 300)):
            for _ in range(0, count, 100):
                for sock in self.crowd(100, says):
                    sock.close()
                self.sockets.clear()
                self.check_served_meanwhile()
        self.wait_until_gone()
        self.check_served("after 9600 connections that were reset")
        self.assertGreaterEqual(self.metric("connections_accepted_total"), 9600)
        self.assertLessEqual(self.descriptors(), descriptors + 2 * 256)  # pooled connections, and pipes
        self.assertEqual(self.metric("exchanges_active"), 0)
        self.check_memory(connections=200, requests=300)


class SlowHeads(Attacked):
    def test_heads_that_are_never_finished_leave_their_buffers_to_others(self):
        """They held all buffers for as long as a head may take, and nobody else was read."""
        self.start(tables='[limits]\nhead_buffers = 16\n[timeouts]\nhead = "1h"\n')
        slow = self.crowd(48, get(b"/")[:20])
        self.check_served("48 heads that are never finished, for 16 buffers")
        self.assertGreaterEqual(self.metric("timeouts_total"), 16)
        self.assertEqual(self.status_of(slow[0]), 408)

    def test_thousands_are_each_told_and_counted(self):
        count = 1500  # more than there are buffers
        self.start(tables='[timeouts]\nhead = "1s"\n')
        slow = self.crowd(count, get(b"/")[:-2])
        self.check_served(f"{count} heads that are never finished")
        self.wait_for_metric("timeouts_total", count)
        self.assertEqual({self.status_of(sock) for sock in slow}, {408})
        self.assertEqual(self.metric("requests_refused_total"), count)
        self.check_memory(connections=count, requests=count)


class SlowBodies(Attacked):
    def test_uploads_that_stand_still_are_told_and_counted(self):
        count = 200
        self.start(pushes_are_not_answered, tables=QUICK)
        slow = self.crowd(count, FIRST_CHUNK)
        self.check_served(f"{count} uploads that stand still")
        self.wait_for_metric("slow_clients_total", count)
        self.assertEqual({self.status_of(sock) for sock in slow}, {408})
        self.wait_until(lambda: self.metric("server_connections_open") == self.metric("server_connections_idle"),
                        "connections to the server stay")
        self.check_memory(connections=count, requests=count)
        for peer in self.backend.connections:
            self.assertNotIn(b"\r\n0\r\n\r\n", peer.record)


class SlowReaders(Attacked):
    def script(self, peer):
        while True:
            asked = peer.read_request().head.start_line
            answer = HEAD + LARGE_PACK if b"upload-pack" in asked else LARGE_ANSWER if b"/large" in asked else ok(b"served")
            try:
                if not peer.try_send(answer):
                    return
            except TimeoutError:
                return  # its reader was not cut as soon as that, on a busy machine
            if b"upload-pack" in asked:
                return peer.close()

    def check(self, count, tables, pool="", request=get(b"/large"), body=LARGE, **options):
        self.start(self.script, tables=f'{pool}\n[timeouts]\nclient_pace = "64KiB"\nclient_pace_window = "1s"\n{tables}', **options)
        slow = [self.client(self.breakwater, receive_buffer=4096) for _ in range(count)]
        for client in slow:
            client.send(request)
        self.wait_until_nothing_moves(count * 100_000)
        self.check_served(f"{count} that do not read what they asked for")
        self.wait_for_metric("slow_clients_total", count)
        self.wait_for_metric("responses_aborted_total", count)
        self.check_memory(connections=count, requests=count)
        self.grown = self.memory("VmHWM") - self.before
        self.assertTrue(self.client(self.breakwater).ask(request).body == body)

    def wait_until_nothing_moves(self, least):
        """The sockets on the way are full."""
        before, moved = 0, 1
        while before != moved or moved < least:
            before, moved = moved, self.metric("bytes_to_clients_total")

    def test_in_pipes(self):
        self.check(60, "")

    def test_in_all_the_buffers_there_are(self):
        self.check(80, "[limits]\npipes = 0\n")
        self.assertGreaterEqual(self.metric("buffer_waits_total"), 1)

    def test_over_tls_each_keeps_no_more_records_than_is_documented(self):
        count = 60
        self.check(count, "", tls=True)
        # Of docs/memory.md only what these readers can take: two buffers of a body, those of two heads (one came over TLS), the rest.
        of_each = 2 * 128 + 2 * 20 + 17 + 49 + 16 + 1 + 8 + 11
        if not self.is_sanitized():
            self.assertLess(self.grown, (count * of_each + KIB + 64 + 68) * KIB)

    def test_of_packs_that_end_with_their_connection(self):
        self.check(60, "", UNTIL_CLOSE, upload_pack(CLONE_V2), LARGE_PACK)
        self.assertEqual(self.metric("packs_until_close_total"), 61)


class Floods(Attacked):
    def test_pipelined_requests_are_read_no_faster_than_they_are_answered(self):
        answer = ok(pattern(64 * KIB))

        def script(peer):
            while True:
                friendly = b"/friend" in peer.read_request().head.start_line
                if not peer.try_send(ok(b"served") if friendly else answer):
                    return

        self.start(script, tables=QUICK)
        flood = self.client(self.breakwater, receive_buffer=4096)
        requests = get(b"/flood") * 1000
        sent = 0
        flood.sock.setblocking(False)
        while self.metric("slow_clients_total") == 0:
            try:
                sent += flood.sock.send(requests)
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            except ConnectionError:
                break
            self.check_served_meanwhile()
        self.wait_for_metric("slow_clients_total", 1)
        self.check_served("after a flood of pipelined requests")
        served = sum(b"/flood" in request.head.start_line for request in self.backend.requests)
        self.assertLess(served, 400)  # what the sockets hold of answers
        self.assertGreater(sent, 400 * len(get(b"/flood")))
        self.check_memory(connections=10, requests=10)

    def test_bombs_are_refused_one_by_one_and_counted_by_what_they_are(self):
        self.start(tables='[limits]\nbody_bytes = "64KiB"\n')
        chunked_head = b"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        bombs = {
            "target_too_long": (get(b"/" + b"a" * 9000), 414),
            "head_too_large": (get(b"/", b"X-A: " + b"a" * 17000), 431),
            "too_many_fields": (get(b"/", *[b"a: b"] * 1000), 431),
            "bad_chunk": (chunked_head + b"5;" + b"a" * 9000 + b"\r\nhello\r\n", 400),
            "bad_trailer": (chunked_head + b"0\r\n" + b"X-A: b\r\n" * 1000 + b"\r\n", 400),
            "length_and_encoding": (chunked_head.replace(b"\r\n\r\n", b"\r\nContent-Length: 9\r\n\r\n"), 400),
            "control_byte": (b"\0" * 9000, 400),
        }
        for reason, (bomb, status) in bombs.items():
            with self.subTest(reason):
                crowd = self.crowd(100, bomb)
                self.check_served_meanwhile()
                self.assertEqual({self.status_of(sock) for sock in self.finished(crowd)}, {status})
                self.assertEqual(self.metric(f'request_faults_total{{reason="{reason}"}}'), 100)
        too_large = chunked_head + b"20000\r\n" + b"a" * 0x20000 + b"\r\n0\r\n\r\n"
        crowd = self.crowd(100, too_large)
        self.check_served_meanwhile()
        self.assertEqual({self.status_of(sock) for sock in self.finished(crowd)}, {413})
        self.assertEqual(self.metric("requests_refused_total"), 100 * (len(bombs) + 1))
        self.check_served("after 800 bombs")
        self.check_memory(connections=100, requests=100)
        self.assertNotIn(b"X-A", self.backend.received)

    def finished(self, sockets):
        """They have nothing more to say, so that the proxy need not wait for more."""
        for sock in sockets:
            try:
                sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        return sockets

    def test_handshakes_that_nobody_goes_on_with_are_given_up_and_counted(self):
        hellos = 600  # each wants a signature, and there are places for 256
        self.start(tls=True)
        self.crowd(hellos, hello())
        self.crowd(100, b"\0not TLS")
        self.crowd(100, get(b"/"))
        self.crowd(100, b"\x16\x03\x01\x40\x00\x01\x00\x50\x00" + bytes(16380))
        self.check_served("900 handshakes that nobody goes on with")
        for reason in ("not_tls", "plain_http", "hello_too_large"):
            self.wait_for_metric(f'tls_failures_total{{reason="{reason}"}}', 100)
        self.wait_for_metric("timeouts_total", hellos)
        self.assertEqual(self.metric("timeouts_total"), hellos)
        self.check_memory(connections=900, tls=True)


class Memory(Attacked):
    def limit_memory(self, more):
        """The process may map so much more than it has."""
        if self.is_sanitized():
            self.skipTest("a sanitizer maps whatever it likes")
        most = self.memory("VmSize") + more
        resource.prlimit(self.breakwater.process.pid, resource.RLIMIT_AS, (most, most))

    def test_the_documented_sum_is_enough_for_all_at_once(self):
        count = 1000
        self.start(pushes_are_not_answered, tables='[timeouts]\nhead = "1s"\n' + QUICK.replace("[timeouts]\n", ""))
        self.limit_memory(documented_bytes(connections=3 * count, requests=count))
        self.crowd(count)
        self.crowd(count, get(b"/")[:20])
        self.crowd(200, FIRST_CHUNK)
        self.check_served("2200 of all kinds, with no more memory than is documented")
        self.check_memory(connections=3 * count, requests=count)

    def test_without_memory_new_clients_are_turned_away_and_those_inside_are_served(self):
        """The first allocation that failed ended the process."""
        self.start(tables="[limits]\nconnections = 100000\n")
        self.limit_memory(0)
        raise_descriptor_limit(20_000)
        while self.metric("connections_refused_total") == 0:
            self.crowd(500, get(b"/")[:20])
        for _ in range(100):
            self.assertEqual(self.friend.ask(get(b"/friend")).body, b"served")
        for sock in self.sockets:
            sock.close()
        self.wait_until_gone()
        self.check_served("after there was no memory")


class Disk(Attacked):
    """The access log can't be written: requests go on, and what is lost is counted."""

    def log_file(self):
        folder = tempfile.TemporaryDirectory(prefix="breakwater-log-")
        self.addCleanup(folder.cleanup)
        return Path(folder.name) / "access.log"

    def test_a_full_disk_loses_lines_and_counts_them(self):
        """They were lost without being counted, as if all were there."""
        self.start(log="/dev/full")
        self.check_served("a full disk")
        self.wait_for_metric("log_lost_total", 300)
        self.assertEqual(self.metric("log_lost_total"), 300)
        self.assertEqual(self.breakwater.stderr.text().count("the access log can't be written"), 1)

    def test_a_log_as_large_as_a_file_may_be_does_not_end_the_proxy_and_has_no_torn_lines_afterwards(self):
        """SIGXFSZ killed it; and after a full disk the next line began in the middle of the one that was cut."""
        path = self.log_file()
        self.start(log=str(path))
        self.wait_until(lambda: self.lines_in(path) == 150, "lines are missing")
        limits = resource.prlimit(self.breakwater.process.pid, resource.RLIMIT_FSIZE)
        full = path.stat().st_size + 1000
        resource.prlimit(self.breakwater.process.pid, resource.RLIMIT_FSIZE, (full, limits[1]))
        self.check_served("a log that is full")
        self.wait_until(lambda: self.lines_in(path) + self.metric("log_lost_total") == 300, "lines are missing")
        resource.prlimit(self.breakwater.process.pid, resource.RLIMIT_FSIZE, limits)
        self.assertEqual(self.friend.ask(get(b"/after")).body, b"served")
        lost = int(self.metric("log_lost_total"))
        self.wait_until(lambda: self.lines_in(path) == 302 - lost, "lines are missing")
        lines = path.read_bytes().split(b"\n")
        torn = [line for line in lines if line and not line.endswith(b"}")]
        whole = [json.loads(line) for line in lines if line.endswith(b"}")]
        self.assertEqual(len(torn), 1)
        self.assertEqual(len(whole) + lost, 301)
        self.assertEqual(whole[-1]["path"], "/after")

    def lines_in(self, path):
        return path.read_bytes().count(b"\n")


if __name__ == "__main__":
    main()
