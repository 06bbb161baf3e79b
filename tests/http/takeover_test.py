"""A server fails while it prepares a pack: another one takes over, inside the answer that the client already reads."""

import threading

from support import ProxyTest, always, chunked, git_post, main, ok
from upload_pack_framing_test import ANSWER_V2, CLONE_V2, FETCH_V2, OID, RESULT, line, pack, request_v0, upload_pack

CHUNKED = 'upload_pack_framing = "chunked"\n'
UNTIL_CLOSE = 'upload_pack_framing = "until-close"\n'
OPENING = line(b"packfile\n")
COUNTING = line(b"\x02Counting objects:  50% (1/2)\r")
ALIVE = b"0005\x01"
FATAL = line(b"\x03fatal: out of memory")
CLONE_V0 = request_v0(b"multi_ack_detailed side-band-64k", b"done\n")


def packets(body):
    """The pkt-lines' payloads; of a flush-pkt or delimiter its number."""
    found = []
    while body:
        length = int(body[:4], 16)
        assert length < 2 or 4 < length <= len(body), body
        found.append(body[4:length] if length > 1 else length)
        body = body[max(length, 4):]
    return found


def content(body):
    """An answer without its progress."""
    return [packet for packet in packets(body) if packet in (0, 1) or not (packet.startswith(b"\x02") or packet == b"\x01")]


class Failing:
    """A script: the beginning of an answer; once the test has seen what it wants of that at the client, the end."""

    def __init__(self, body, end, is_chunked=True):
        self.body, self.end, self.is_chunked = body, end, is_chunked
        self.seen = threading.Event()

    def __call__(self, peer):
        peer.read_request()
        if self.is_chunked:
            head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + RESULT + b"\r\n\r\n"
            peer.send(head + b"%x\r\n%s\r\n" % (len(self.body), self.body))
        else:
            peer.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + RESULT + b"\r\n\r\n" + self.body)
        self.seen.wait(20)
        self.end(peer)


def close(peer):
    peer.close()


def reset(peer):
    peer.reset()


def last_chunk(peer):
    peer.send(b"0\r\n\r\n")
    peer.read_until_end()


def rubbish(peer):
    peer.send(b"zz\r\n")
    peer.read_until_end()


def whole(body):
    return always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + RESULT + b"\r\n\r\n" + chunked(body))


class TakeOver(ProxyTest):
    def fetch(self, first, *others, request=upload_pack(CLONE_V2), tables=CHUNKED):
        self.bad = self.server(first)
        self.others = [self.server(other) for other in others]
        self.front = self.proxy(self.bad, *self.others, tables=tables)
        client = self.client(self.front)
        client.send(request)
        return client

    def see(self, failing, client, wanted=COUNTING):
        client.read_until_seen(wanted)
        failing.seen.set()

    def test_however_a_server_fails(self):
        for name, end, is_chunked in (("close", close, True), ("reset", reset, True), ("good order", last_chunk, True),
                                      ("rubbish", rubbish, True), ("close by 1.0", close, False),
                                      ("reset by 1.0", reset, False)):
            with self.subTest(name):
                failing = Failing(OPENING + COUNTING + ALIVE, end, is_chunked)
                client = self.fetch(failing, whole(ANSWER_V2), tables=CHUNKED if is_chunked else UNTIL_CLOSE)
                self.see(failing, client)
                reply = client.recv_response()
                self.assertEqual(content(reply.body), packets(ANSWER_V2))
                self.assertTrue(reply.body.startswith(OPENING + COUNTING + ALIVE))
                self.assertEqual(self.others[0].requests[0].body, CLONE_V2)
                entry = self.front.wait_for_log(lambda entry: True)
                self.assertEqual(self.front.metrics()["breakwater_packs_taken_over_total"], 1)
                self.assertEqual((entry["status"], entry["attempts"], entry["server"], entry["ended_by"]),
                                 (200, 2, self.others[0].address, "done"))

    def test_wherever_its_words_are_cut(self):
        text = COUNTING + ALIVE + COUNTING
        for cut in range(len(text) + 1):
            failing = Failing(OPENING + text[:cut], close)
            client = self.fetch(failing, whole(ANSWER_V2))
            self.see(failing, client, OPENING + text[:cut])
            body = client.recv_response().body
            self.assertEqual(content(body), packets(ANSWER_V2), cut)
            self.assertTrue(body.startswith(OPENING + text[:cut]))

    def test_version_0(self):
        answer = line(b"NAK\n") + pack() + b"0000"
        failing = Failing(line(b"NAK\n") + COUNTING, reset)
        client = self.fetch(failing, whole(line(b"NAK\n") + COUNTING + pack() + b"0000"), request=upload_pack(CLONE_V0, 0))
        self.see(failing, client)
        self.assertEqual(content(client.recv_response().body), packets(answer))

    def test_a_client_of_1_0(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2), request=upload_pack(CLONE_V2).replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.see(failing, client)
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_git_says_that_it_failed_and_another_does_better(self):
        for cut in range(len(FATAL) + 1):  # what comes in one piece and what in the next
            def rest(peer):
                peer.try_send(b"%x\r\n%s\r\n" % (len(FATAL) - cut, FATAL[cut:]) if cut < len(FATAL) else b"")
                peer.read_until_end()

            failing = Failing(OPENING + COUNTING + FATAL[:cut], rest)
            client = self.fetch(failing, whole(ANSWER_V2))
            self.see(failing, client)
            body = client.recv_response().body
            self.assertNotIn(b"out of memory", body)
            self.assertEqual(content(body), packets(ANSWER_V2))

    def test_a_server_whose_git_fails_is_ejected(self):
        def script(peer):
            while True:
                peer.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + RESULT + b"\r\n\r\n"
                            + chunked(OPENING + COUNTING, FATAL))

        self.fetch(script, whole(ANSWER_V2))
        for _ in range(20):
            self.assertEqual(content(self.client(self.front).ask(upload_pack(CLONE_V2)).body), packets(ANSWER_V2))
        self.assertLessEqual(len(self.bad.requests), 6)

    def test_if_nobody_does_better_git_is_quoted(self):
        for _ in range(2):
            self.server(whole(OPENING + COUNTING + FATAL))
        client = self.client(self.proxy(*self.servers, tables=CHUNKED))
        body = client.ask(upload_pack(CLONE_V2)).body
        self.assertEqual(content(body), [b"packfile\n", FATAL[4:]])
        self.assertTrue(body.endswith(FATAL))

    def test_two_fail_and_the_third_goes_on(self):
        first, second = Failing(OPENING + COUNTING[:9], reset), Failing(OPENING + COUNTING + ALIVE[:2], close)
        client = self.fetch(first, second, second, whole(ANSWER_V2))
        self.see(first, client, COUNTING[:9])
        second.seen.set()
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))

    def test_the_next_one_is_useless(self):
        useless = {
            "an error": always(b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"),
            "ERR": always(ok(line(b"ERR access denied"), RESULT)),
            "a web page": always(ok(b"<html>", b"Content-Type: text/html")),
            "another opening": whole(line(b"shallow-info\n") + b"0001" + ANSWER_V2),
            "a length": always(ok(ANSWER_V2, RESULT)),
            "nothing": close,
            "an end behind the head": always(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n" + RESULT + b"\r\n\r\n0\r\n\r\n"),
        }
        for name, script in useless.items():
            with self.subTest(name):
                failing = Failing(OPENING + COUNTING, close)
                client = self.fetch(failing, script, tables=CHUNKED + 'retries = "100%"\n')
                self.see(failing, client)
                head, _ = client.recv_aborted()
                self.assertEqual(head.status, 200)
                self.assertIn(b"\x03breakwater: the server failed", client.record)

    def test_git_is_told_why(self):
        failing = Failing(OPENING + COUNTING[:-3], close)
        client = self.fetch(failing, close)
        self.see(failing, client, COUNTING[:-3])
        client.recv_aborted()
        self.assertIn(b"\x03breakwater: the server failed while it prepared the pack", client.record)
        entry = self.front.wait_for_log(lambda entry: True)
        self.assertEqual((entry["ended_by"], entry["status"]), ("server", 200))

    def test_not_once_a_pack_has_begun(self):
        for begun in (line(b"\x01PACK"), b"0009\x01P", line(b"\x01PACK")[:6]):
            failing = Failing(OPENING + COUNTING + begun, close)
            client = self.fetch(failing, whole(ANSWER_V2))
            self.see(failing, client, COUNTING + begun)
            client.recv_aborted()
            self.assertEqual(self.others[0].requests, [])

    def openings(self):
        """Of the same pack: what stands before it, and what another server would say that has other objects."""
        ready = upload_pack(FETCH_V2.replace(b"0000", b"") + line(b"have " + OID) + b"0000")
        acks = line(b"acknowledgments\n") + line(b"ACK " + OID + b"\n") + line(b"ready\n") + b"0001" + OPENING
        shallow = line(b"shallow-info\n") + line(b"shallow " + OID) + b"0001" + OPENING
        shallow_v0 = line(b"shallow " + OID) + b"0000" + line(b"NAK\n")
        acks_v0 = line(b"ACK " + OID + b" common\n") + line(b"ACK " + OID + b"\n")
        return {"ready": (ready, acks), "shallow": (upload_pack(CLONE_V2), shallow),
                "v0 shallow": (upload_pack(CLONE_V0, 0), shallow_v0), "v0 acknowledges": (upload_pack(CLONE_V0, 0), acks_v0)}

    def test_acknowledgments_and_shallow_commits_are_the_same_elsewhere(self):
        for name, (request, opening) in self.openings().items():
            answer = opening + COUNTING + pack() + b"0000"
            for cut in (9, len(opening) - 1, len(opening), len(opening) + 7):
                with self.subTest(name, cut=cut):
                    failing = Failing(answer[:cut], close)
                    client = self.fetch(failing, whole(answer), request=request)
                    self.see(failing, client, answer[:cut])
                    self.assertEqual(content(client.recv_response().body), content(answer))

    def test_or_they_are_not(self):
        for name, (request, opening) in self.openings().items():
            with self.subTest(name):
                failing = Failing(opening + COUNTING, close)
                client = self.fetch(failing, whole(opening.replace(b"0123", b"3210") + pack() + b"0000"), request=request)
                self.see(failing, client, opening + COUNTING)
                client.recv_aborted()
                self.assertEqual(len(self.others[0].requests), 1)

    def test_not_a_pack_without_a_sideband(self):
        failing = Failing(line(b"NAK\n") + b"PACK", close)
        client = self.fetch(failing, whole(ANSWER_V2), request=upload_pack(request_v0(b"multi_ack", b"done\n"), 0))
        self.see(failing, client, b"PACK")
        client.recv_aborted()
        self.assertEqual(self.others[0].requests, [])

    def test_not_a_push(self):
        failing = Failing(COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2), request=git_post("receive-pack", b"0000PACK"))
        self.see(failing, client)
        client.recv_aborted()
        self.assertEqual(self.others[0].requests, [])

    def test_not_beyond_the_budget(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2), tables=CHUNKED + 'retries = "off"\n')
        self.see(failing, client)
        client.recv_aborted()
        self.assertEqual(self.others[0].requests, [])

    def test_a_server_that_hangs_while_probes_say_so(self):
        failing = Failing(OPENING + COUNTING, lambda peer: peer.read_until_end())
        client = self.fetch(failing, whole(ANSWER_V2),
                            tables=CHUNKED + 'probe = "tcp"\nprobe_interval = "100ms"\nprobe_fast_interval = "100ms"\n')
        client.read_until_seen(COUNTING)
        self.bad.listener.close()  # what was accepted stays
        self.assertEqual(content(client.recv_response().body), packets(ANSWER_V2))
        failing.seen.set()

    def test_the_clients_connection_is_kept(self):
        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, whole(ANSWER_V2))
        self.see(failing, client)
        client.recv_response()
        self.assertEqual(client.ask(upload_pack(CLONE_V2)).body, ANSWER_V2)
        self.assertEqual(len(self.others[0].requests), 2)

    def test_a_client_that_leaves_meanwhile(self):
        asked = threading.Event()

        def silent(peer):
            peer.read_request()
            asked.set()
            peer.read_until_end()

        failing = Failing(OPENING + COUNTING, close)
        client = self.fetch(failing, silent)
        self.see(failing, client)
        self.assertTrue(asked.wait(20))
        client.close()
        self.others[0].connection(0).wait_end()
        entry = self.front.wait_for_log(lambda entry: True)
        self.assertEqual(entry["ended_by"], "client")


if __name__ == "__main__":
    main()
