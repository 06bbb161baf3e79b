"""Takeovers (takeover_test.py) that once went wrong."""

import json
import threading

from support import RawClient, always, chunked, main, ok
from takeover_test import (ALIVE, CHUNKED, COUNTING, FATAL, OPENING, Failing, TakeOver as Base, close, content, packets, whole)
from upload_pack_framing_test import ANSWER_V2, CLONE_V2, OID, RESULT, line, upload_pack

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + RESULT + b"\r\n\r\n"
PROBED = 'probe = "tcp"\nprobe_interval = "100ms"\nprobe_fast_interval = "100ms"\n'
REST = ANSWER_V2[len(OPENING):]


def go_on(peer):
    peer.try_send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(REST), REST))
    peer.read_until_end()


def payload(record):
    """Of a chunked answer that was cut off between two chunks."""
    rest, found = bytes(record).split(b"\r\n\r\n", 1)[1], b""
    while rest:
        size, rest = rest.split(b"\r\n", 1)
        found += rest[:int(size, 16)]
        rest = rest[int(size, 16) + 2:]
    return found


def once(answer):
    """An answer, then the end of the connection."""
    def script(peer):
        peer.answer(answer)
        peer.close()
    return script


class Regressions(Base):
    def test_the_second_fails_before_the_end_of_the_line_was_sent(self):
        # The head of the second pump (the end of the open line) was not sent yet when it stops.
        for name, second in (("Git fails", always(HEAD + chunked(OPENING, FATAL))), ("an end", always(HEAD + chunked(OPENING))),
                             ("another opening", whole(line(b"shallow-info\n") + b"0001" + ANSWER_V2))):
            with self.subTest(name):
                failing = Failing(OPENING + COUNTING[:-3], close)
                client = self.fetch(failing, second, second, whole(ANSWER_V2), tables=CHUNKED + 'retries = "100%"\n')
                self.see(failing, client, COUNTING[:-3])
                self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_the_same_and_nobody_is_left(self):
        second = whole(line(b"shallow-info\n") + b"0001" + ANSWER_V2)
        failing = Failing(OPENING + COUNTING[:-3], close)
        client = self.fetch(failing, second)
        self.see(failing, client, COUNTING[:-3])
        client.recv_aborted()
        self.assertIn(b"\x03breakwater: the server failed", client.record)

    def test_the_next_one_ends_with_the_connection_unasked(self):
        # Asked by 1.1 (no until-close wish), it answers without a framing.
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, once(b"HTTP/1.0 200 OK\r\n" + RESULT + b"\r\n\r\n" + ANSWER_V2))
        self.see(failing, client)
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_the_next_one_ends_with_the_connection_unasked_and_differs(self):
        failing = Failing(OPENING + COUNTING, close)
        answer = line(b"shallow-info\n") + b"0001" + ANSWER_V2
        client = self.fetch(failing, once(b"HTTP/1.0 200 OK\r\n" + RESULT + b"\r\n\r\n" + answer))
        self.see(failing, client)
        client.recv_aborted()

    def test_nor_is_a_cut_one_taken_for_whole(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, once(b"HTTP/1.0 200 OK\r\n" + RESULT + b"\r\n\r\n" + ANSWER_V2[:-200]))
        self.see(failing, client)
        client.recv_aborted()

    def test_a_suspect_is_blamed_once(self):
        # The first answers 500, the second breaks while it prepares, the third does well; then two of those.
        for _ in range(12):  # whichever is asked first
            broken = always(HEAD + b"%x\r\n%s\r\n" % (len(OPENING + COUNTING), OPENING + COUNTING) + b"zz\r\n")
            servers = [self.server(always(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")), self.server(broken),
                       self.server(whole(ANSWER_V2))]
            front = self.proxy(*servers, tables=CHUNKED + 'retries = "100%"\neject_errors = 2\n')
            self.assertEqual(content(self.client(front).ask(upload_pack(CLONE_V2)).body), packets(ANSWER_V2))
            ejections = {key: value for key, value in front.metrics().items() if "server_ejections_total" in key}
            self.assertEqual(sum(ejections.values()), 0, (ejections, servers[0].address))

    def test_a_client_that_half_closes_meanwhile(self):
        failing = Failing(OPENING + COUNTING, close)
        asked = threading.Event()

        def silent(peer):
            peer.read_request()
            asked.set()
            peer.read_until_end()

        client = self.fetch(failing, silent)
        self.see(failing, client)
        self.assertTrue(asked.wait(5))
        gauges = {k: v for k, v in self.front.metrics().items() if "server_in_flight" in k}
        self.assertEqual(sorted(gauges.values()), [0, 1])
        client.shutdown_write()
        self.others[0].connection(0).wait_end()
        entry = self.front.wait_for_log(lambda entry: True)
        self.assertEqual(entry["ended_by"], "client")
        gauges = {k: v for k, v in self.front.metrics().items() if "server_in_flight" in k}
        self.assertEqual(sorted(gauges.values()), [0, 0])

    def test_a_client_of_1_0_is_not_told_an_end_in_good_order(self):
        for name, second in (("500", always(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")), ("length", always(ok(ANSWER_V2, RESULT)))):
            with self.subTest(name):
                failing = Failing(OPENING + COUNTING, close)
                client = self.fetch(failing, second, request=upload_pack(CLONE_V2).replace(b"HTTP/1.1", b"HTTP/1.0"))
                self.see(failing, client)
                client.read_until_end_keeping()
                self.assertEqual(str(client.ended), "reset")

    def test_a_server_that_only_stopped_listening_goes_on_if_nobody_can_take_over(self):
        rest = ANSWER_V2[len(OPENING):]
        failing = Failing(OPENING + COUNTING, lambda peer: (peer.try_send(b"%x\r\n%s\r\n0\r\n\r\n" % (len(rest), rest)), peer.read_until_end()))
        client = self.fetch(failing, whole(ANSWER_V2), tables=CHUNKED + 'retries = "off"\nprobe = "tcp"\n'
                            'probe_interval = "100ms"\nprobe_fast_interval = "100ms"\n')
        client.read_until_seen(COUNTING)
        self.bad.listener.close()  # what was accepted stays
        failed = self.front.metrics()["breakwater_probes_failed_total"]
        while self.front.metrics()["breakwater_probes_failed_total"] < failed + 6:  # it is down, and that was seen
            pass
        failing.seen.set()
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_if_all_fail_alike_nobody_is_put_out(self):
        for _ in range(2):
            self.server(whole(OPENING + COUNTING + FATAL))
        front = self.proxy(*self.servers, tables=CHUNKED + 'retries = "100%"\neject_errors = 1\n')
        for _ in range(30):
            self.assertIn(FATAL, self.client(front).ask(upload_pack(CLONE_V2)).body)
        ejections = {key: value for key, value in front.metrics().items() if "server_ejections_total" in key}
        self.assertEqual(sum(ejections.values()), 0, ejections)

    def test_an_interim_answer_that_was_not_passed_on_binds_nobody(self):
        failing = Failing(OPENING + COUNTING, close)
        bad = always(b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")
        def gone(peer):
            peer.answer(b"HTTP/1.1 103 Early Hints\r\n\r\n")
            peer.close()
        for script in (bad, gone):
            failing = Failing(OPENING + COUNTING, close)
            client = self.fetch(failing, script, script, whole(ANSWER_V2), tables=CHUNKED + 'retries = "100%"\n')
            self.see(failing, client)
            self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_an_open_line_that_just_fits_the_room(self):
        # 20 KiB of room, 18 of them for a chunk's line and 2 for its end.
        room = 20 * 1024 - 20
        for left in (room - 3, room - 2, room - 1, room, room + 1):
            text = b"\x02" + b"x" * 99
            length = 4 + len(text) + left
            failing = Failing(OPENING + b"%04x" % length + text, close)
            client = self.fetch(failing, whole(ANSWER_V2))
            self.see(failing, client, text)
            if left > room:
                client.recv_aborted()
            else:
                self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))


class Judging(Base):
    def change(self, server, word):
        body = json.dumps({"state": word}).encode()
        client = RawClient(self.front.admin_port)
        self.clients.append(client)
        client.send(b"POST /servers/test/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                    % (server.address.encode(), len(body)) + body)
        self.assertEqual(client.recv_response().status, 200)

    def wait_state(self, server, state):
        name = f'breakwater_server_state{{pool="test",server="{server.address}",state="{state}"}}'
        while self.front.metrics()[name] != 1:
            pass

    def wait_looked(self):
        """Until an exchange has looked at its server's state: it does so every 250 ms."""
        failed = self.front.metrics()["breakwater_probes_failed_total"]
        while self.front.metrics()["breakwater_probes_failed_total"] < failed + 8:
            pass

    def bytes_out(self):
        return self.front.wait_for_log(lambda entry: True)["bytes_out"]

    def test_a_clone_leaves_a_server_that_works_for_one_that_is_down_as_well(self):
        # Probes say that all are down, and may be wrong. This one talks; the other refuses connections.
        failing = Failing(OPENING + COUNTING, go_on)
        client = self.fetch(failing, whole(ANSWER_V2), tables=CHUNKED + PROBED)
        client.read_until_seen(COUNTING)
        self.others[0].listener.close()
        self.wait_state(self.others[0], "down")
        self.bad.listener.close()  # what was accepted stays
        self.wait_state(self.bad, "down")
        self.wait_looked()
        failing.seen.set()
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_who_found_nobody_while_its_server_was_down_looks_again_when_that_breaks(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2), tables=CHUNKED + PROBED)
        client.read_until_seen(COUNTING)
        self.change(self.others[0], "maintenance")
        self.bad.listener.close()  # what was accepted stays
        self.wait_state(self.bad, "down")
        self.wait_looked()
        self.change(self.others[0], "ready")
        failing.seen.set()
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_servers_that_told_the_truth_are_ejected_for_it(self):
        # Their opening differs from that of the one that broke, as a replica's may. Nothing is wrong with them.
        failing = Failing(OPENING + COUNTING, close)
        honest = whole(line(b"shallow-info\n") + line(b"shallow " + OID) + b"0001" + ANSWER_V2)
        tables = CHUNKED + 'retries = "100%"\neject_errors = 1\nejected_max = "100%"\npanic = "off"\n'
        client = self.fetch(failing, honest, honest, honest, tables=tables)
        self.see(failing, client)
        client.recv_aborted()
        self.bytes_out()
        metrics = self.front.metrics()
        name = 'breakwater_server_ejections_total{pool="test",server="%s"}'
        self.assertEqual([metrics[name % server.address] for server in self.others], [0, 0, 0])

    def test_bytes_out_without_the_opening_that_was_left_out(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2))
        self.see(failing, client)
        body = client.recv_response().body
        self.assertEqual(self.bytes_out(), len(body))

    def test_bytes_out_without_the_words_of_git_that_were_left_out(self):
        client = self.fetch(whole(OPENING + COUNTING + FATAL), whole(ANSWER_V2))
        body = client.recv_response().body
        self.assertEqual(self.bytes_out(), len(body))

    def test_bytes_out_with_our_own_words(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, close)
        self.see(failing, client)
        client.read_until_end_keeping()
        self.assertEqual(self.bytes_out(), len(payload(client.record)))

    def test_a_pack_that_nobody_made_is_not_counted_as_taken_over(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(line(b"shallow-info\n") + b"0001" + ANSWER_V2))
        self.see(failing, client)
        client.recv_aborted()
        self.assertEqual(self.front.metrics()["breakwater_packs_taken_over_total"], 0)


# Only what is new.
for name in [name for name in dir(Base) if name.startswith("test_")]:
    setattr(Regressions, name, None)
    setattr(Judging, name, None)
del Base

if __name__ == "__main__":
    main()
