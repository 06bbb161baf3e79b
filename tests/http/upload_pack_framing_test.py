"""Packs asked for by HTTP/1.0: the answer ends with the connection, and is whole only if Git's own framing says so."""

import threading

from support import ProxyTest, always, answering, chunked, main, ok, pattern, post

UNTIL_CLOSE = 'upload_pack_framing = "until-close"'
AUTO = 'upload_pack_framing = "auto"'
OID = b"0123456789012345678901234567890123456789"
RESULT = b"Content-Type: application/x-git-upload-pack-result"
# As Apache and nginx answer HTTP/1.0: their own version, no length.
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + RESULT + b"\r\n\r\n"


def line(payload):
    return b"%04x" % (len(payload) + 4) + payload


def pack(size=1000):
    """A pack in sideband 1, in pkt-lines as long as they can be."""
    noise = pattern(size)
    return b"".join(line(b"\x01" + noise[at:at + 65515]) for at in range(0, size, 65515))


FETCH_V2 = line(b"command=fetch") + b"0001" + line(b"want " + OID + b"\n")
CLONE_V2 = FETCH_V2 + line(b"done\n") + b"0000"
ANSWER_V2 = line(b"packfile\n") + pack() + b"0000"


def upload_pack(body, version=2, *fields):
    protocol = [b"Git-Protocol: version=%d" % version] if version else []
    return post(b"/team/repo.git/git-upload-pack", body, b"Content-Type: application/x-git-upload-pack-request", *protocol,
                *fields)


def request_v0(capabilities, last):
    return line(b"want " + OID + b" " + capabilities + b"\n") + b"0000" + line(last)


def until_close(body, head=HEAD):
    def script(peer):
        peer.answer(head + body)
        peer.close()

    return script


class UploadPackFraming(ProxyTest):
    def ask(self, script, request, setting=UNTIL_CLOSE, **server):
        self.upstream = self.server(*(script if isinstance(script, tuple) else (script,)))
        self.front = self.proxy(self.upstream, tables=setting)
        downstream = self.client(self.front)
        downstream.send(request)
        return downstream

    def versions(self):
        return [request.head.start_line.rpartition(b" ")[2] for request in self.upstream.requests]

    def test_a_pack_is_asked_for_by_1_0_and_comes_in_chunks(self):
        client = self.ask(until_close(ANSWER_V2), upload_pack(CLONE_V2))
        reply = client.recv_response()
        self.assertEqual((reply.status, reply.kind, reply.body), (200, "chunked", ANSWER_V2))
        request = self.upstream.requests[0]
        self.assertEqual(request.head.start_line, b"POST /team/repo.git/git-upload-pack HTTP/1.0")
        self.assertEqual(request.head.values("connection"), [b"close"])
        self.assertEqual(request.body, CLONE_V2)
        self.assertEqual(self.front.metrics()["breakwater_packs_until_close_total"], 1)

    def test_a_server_that_was_asked_to_close_and_stays_gets_no_more_requests(self):
        answer = b"HTTP/1.1 200 OK\r\n" + RESULT + b"\r\nContent-Length: %d\r\n\r\n" % len(ANSWER_V2) + ANSWER_V2
        client = self.ask(always(answer), upload_pack(CLONE_V2))
        self.assertEqual(client.recv_response().body, ANSWER_V2)
        client.send(upload_pack(CLONE_V2) + b"GET /team/repo.git/HEAD HTTP/1.1\r\nHost: git.example\r\n\r\n")
        self.assertEqual([client.recv_response().status for _ in range(2)], [200, 200])
        self.assertEqual(self.versions(), [b"HTTP/1.0", b"HTTP/1.0", b"HTTP/1.1"])
        self.assertEqual([len(self.upstream.connection(index).requests) for index in range(3)], [1, 1, 1])

    def test_a_large_pack_goes_through_a_pipe_and_its_end_is_proven_all_the_same(self):
        answer = line(b"packfile\n") + pack(5_000_000) + b"0000"
        client = self.ask(until_close(answer), upload_pack(CLONE_V2))
        self.assertEqual(client.recv_response().body, answer)
        metrics = self.front.metrics()
        self.assertGreater(metrics["breakwater_bytes_spliced_total"], 4_000_000)
        # Of a pkt-line only its beginning has to be seen.
        self.assertLess(metrics["breakwater_bytes_looked_at_total"], 2_000_000)

    def test_an_answer_without_its_end_is_never_completed(self):
        large = line(b"packfile\n") + pack(2_000_000)
        for answer in (ANSWER_V2[:-4], ANSWER_V2[:-1], ANSWER_V2[:500], ANSWER_V2 + b"x", large, large + b"000", b"",
                       b"PACK of no pkt-lines at all, then 0000"):
            client = self.ask(until_close(answer), upload_pack(CLONE_V2))
            head, _ = client.recv_aborted()
            if head is not None:
                self.assertEqual(head.status, 200)
            entry = self.front.wait_for_log(lambda entry: True)
            self.assertEqual((entry["ended_by"], entry["reason"]), ("server", "server truncated"), answer[-20:])

    def test_an_error_of_gits_own_is_an_end(self):
        for error in (line(b"ERR upload-pack: not our ref " + OID), line(b"packfile\n") + pack() + line(b"\x03fatal: no")):
            client = self.ask(until_close(error), upload_pack(CLONE_V2))
            self.assertEqual(client.recv_response().body, error)

    def test_v0_with_a_sideband(self):
        shallow = line(b"shallow " + OID + b"\n") + b"0000"
        answer = shallow + line(b"NAK\n") + pack() + b"0000"
        request = upload_pack(request_v0(b"multi_ack side-band-64k", b"done\n"), 0)
        client = self.ask(until_close(answer), request)
        self.assertEqual(client.recv_response().body, answer)
        self.assertEqual(self.versions(), [b"HTTP/1.0"])
        client = self.ask(until_close(shallow), request)  # that flush-pkt is not the end
        client.recv_aborted()

    def test_what_cannot_be_proven_is_asked_for_by_1_1(self):
        for request in (upload_pack(request_v0(b"multi_ack", b"done\n"), 0),
                        upload_pack(request_v0(b"multi_ack side-band-64k", b"have " + OID + b"\n"), 0),
                        upload_pack(b"\x1f\x8b gzip", 0, b"Content-Encoding: gzip"),
                        upload_pack(b"no pkt-lines")):
            client = self.ask(always(ok(b"hello")), request)
            self.assertEqual(client.recv_response().body, b"hello")
            self.assertEqual(self.versions(), [b"HTTP/1.1"])

    def ask_after_refs(self, server_field, body, setting, *scripts):
        """The versions by which info/refs and then `body` are asked for, of a server that says so much about itself."""
        self.upstream = self.server(always(ok(b"refs", server_field)), *scripts)
        client = self.client(self.proxy(self.upstream, tables=setting))
        client.send(b"GET /team/repo.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example\r\n\r\n")
        self.assertEqual(client.recv_response().body, b"refs")
        client.send(upload_pack(body))
        self.assertEqual(client.recv_response().body, ANSWER_V2 if scripts else b"refs")
        return self.versions()

    def test_auto_asks_by_1_0_where_a_pack_is_sure_to_come_from_a_kind_of_server_that_was_tried(self):
        for setting in (AUTO, ""):  # it is the default
            for field in (b"Server: Apache/2.4.57 (Debian)", b"Server: Apache", b"Server: nginx/1.22.1"):
                versions = self.ask_after_refs(field, CLONE_V2, setting, until_close(ANSWER_V2))
                self.assertEqual(versions, [b"HTTP/1.1", b"HTTP/1.0"])
            for field in (b"Server: Caddy", b"Server: my nginx", b"X-Server: nginx"):
                self.assertEqual(self.ask_after_refs(field, CLONE_V2, setting), [b"HTTP/1.1"] * 2)
        refs = line(b"command=ls-refs\n") + b"00010000"
        negotiation = FETCH_V2 + line(b"have " + OID + b"\n") + b"0000"
        for body in (refs, negotiation):
            self.assertEqual(self.ask_after_refs(b"Server: nginx", body, AUTO), [b"HTTP/1.1"] * 2)

    def test_auto_asks_a_server_that_said_nothing_yet_by_1_1(self):
        client = self.ask(always(ok(b"hello")), upload_pack(CLONE_V2), AUTO)
        self.assertEqual(client.recv_response().body, b"hello")
        self.assertEqual(self.versions(), [b"HTTP/1.1"])

    def test_an_expectation_does_not_pass_by_1_0(self):
        client = self.ask(until_close(ANSWER_V2), upload_pack(CLONE_V2, 2, b"Expect: 100-continue"))
        self.assertEqual(client.recv_response().status, 200)
        self.assertEqual(self.versions(), [b"HTTP/1.0"])
        self.assertEqual(self.upstream.requests[0].head.values("expect"), [])

    def test_a_chunked_request_stays_on_1_1(self):
        head = upload_pack(b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
        client = self.ask(always(ok(b"hello")), head + chunked(CLONE_V2))
        self.assertEqual(client.recv_response().body, b"hello")
        self.assertEqual(self.versions(), [b"HTTP/1.1"])

    def test_an_error_by_1_0_and_no_answer_at_all_are_asked_for_again_by_1_1(self):
        def closes(peer):
            peer.read_request()
            peer.close()

        refusal = answering(ok(b"no", status=b"403 Forbidden"))
        version = answering(ok(b"no", status=b"505 HTTP Version Not Supported"))
        nonsense = answering(b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
        for first in (closes, refusal, version, nonsense):
            client = self.ask((first, answering(ok(b"hello"))), upload_pack(CLONE_V2))
            self.assertEqual(client.recv_response().body, b"hello")
            self.assertEqual(self.versions(), [b"HTTP/1.0", b"HTTP/1.1"])
            client = self.ask((first, first), upload_pack(CLONE_V2))
            self.assertIn(client.recv_response().status, (403, 502, 505))
            self.assertEqual(self.versions(), [b"HTTP/1.0", b"HTTP/1.1"])

    def test_auto_does_not_ask_a_server_by_1_0_again_whose_packs_cannot_be_judged(self):
        server = self.server(always(ok(b"refs", b"Server: nginx")),
                             until_close(b"\x1f\x8b", HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")),
                             always(ok(b"pack", b"Server: nginx")))
        client = self.client(self.proxy(server, tables=AUTO))
        client.ask(b"GET /team/repo.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example\r\n\r\n")
        for _ in range(2):
            client.ask(upload_pack(CLONE_V2))
        asked = [request.head.start_line.rpartition(b" ")[2] for request in server.requests if request.body == CLONE_V2]
        self.assertEqual(sorted(asked), [b"HTTP/1.0", b"HTTP/1.1", b"HTTP/1.1"])

    def test_an_answer_that_tells_its_length_needs_no_proof(self):
        log_in = ok(b"log in", b"WWW-Authenticate: Basic realm=\"git\"", status=b"401 Unauthorized")
        client = self.ask(always(log_in), upload_pack(CLONE_V2))
        reply = client.recv_response()
        self.assertEqual((reply.status, reply.body), (401, b"log in"))
        self.assertEqual(self.versions(), [b"HTTP/1.0"])

    def test_an_answer_whose_end_cannot_be_told_is_asked_for_again_by_1_1(self):
        page = b"HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\n\r\n"
        packed = HEAD.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n")
        for first in (until_close(b"<html>no", page), until_close(b"\x1f\x8b", packed)):
            client = self.ask((first, answering(ok(b"hello", status=b"404 Not Found"))), upload_pack(CLONE_V2))
            reply = client.recv_response()
            self.assertEqual((reply.status, reply.body), (404, b"hello"))
            self.assertEqual(self.versions(), [b"HTTP/1.0", b"HTTP/1.1"])

    def test_a_client_of_1_0_gets_a_reset_where_the_end_is_missing(self):
        request = upload_pack(CLONE_V2).replace(b"HTTP/1.1", b"HTTP/1.0")
        client = self.ask(until_close(ANSWER_V2), request)
        self.assertEqual(client.recv_response().body, ANSWER_V2)
        self.assertEqual(client.ended, "fin")
        client = self.ask(until_close(ANSWER_V2[:-4]), request)
        client.read_until_end_keeping()
        self.assertEqual(client.ended, "reset")

    def test_what_was_sent_on_a_stale_connection_is_not_tried_by_1_0(self):  # or it might have to be sent a third time
        known = threading.Event()

        def stale(peer):
            peer.answer(ok(b"refs"))
            peer.read_request()
            known.wait(10)
            peer.close()

        refs = b"GET /team/repo.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example\r\n\r\n"
        server = self.server(stale, always(ok(b"refs", b"Server: nginx")), always(ok(b"hello")))
        front = self.proxy(server, tables=AUTO)
        first, second = self.client(front), self.client(front)
        first.send(refs)
        first.recv_response()
        first.send(upload_pack(CLONE_V2))
        server.connections[0].wait_requests(2)
        second.send(refs)
        second.recv_response()  # from now on its kind is known
        known.set()
        self.assertEqual(first.recv_response().body, b"hello")
        asked = [request.head.start_line for request in server.requests if request.body == CLONE_V2]
        self.assertEqual(asked, [b"POST /team/repo.git/git-upload-pack HTTP/1.1"] * 2)

    def test_chunked_never_asks_by_1_0(self):
        field = b"Server: nginx/1.22.1"
        self.assertEqual(self.ask_after_refs(field, CLONE_V2, 'upload_pack_framing = "chunked"'), [b"HTTP/1.1"] * 2)


if __name__ == "__main__":
    main()
