"""Git died behind a server that says 200 and ends its answer in good order: it is seen, and never passed on as whole."""

import random

from support import ProxyTest, always, chunked, get, git_post, main, ok, pattern
from upload_pack_framing_test import ANSWER_V2, CLONE_V2, OID, RESULT, line, pack, request_v0, upload_pack

ADVERTISEMENT = b"Content-Type: application/x-git-upload-pack-advertisement"
INFO_REFS = get(b"/team/repo.git/info/refs?service=git-upload-pack", b"Git-Protocol: version=2")
REFS = line(b"# service=git-upload-pack\n") + b"0000" + line(b"version 2\n") + b"0000"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n"


def in_chunks(body, size, *fields):
    """An answer in chunks of that size, which ends in good order."""
    head = CHUNKED + b"\r\n".join(fields) + b"\r\n\r\n"
    return head + chunked(*[body[at:at + size] for at in range(0, len(body), size)])


class Packs(ProxyTest):
    """A pack in chunks: its last chunk is there, but not the flush-pkt that Git ends with."""

    CHUNK_SIZES = (4000, 8000, 32768, 65536)

    def fetch(self, body, size, request=upload_pack(CLONE_V2)):
        server = self.server(always(in_chunks(body, size, RESULT)))
        proxy = self.proxy(server, tables='upload_pack_framing = "chunked"')
        client = self.client(proxy)
        client.send(request)
        return proxy, client

    def test_one_that_git_ended_is_passed_on_whole(self):
        spliced = 0  # on a busy machine a server may be too slow for it now and then
        for size in self.CHUNK_SIZES:
            for bytes_of_pack in (1000, 300_000, 3_000_001):
                answer = line(b"packfile\n") + pack(bytes_of_pack) + b"0000"
                proxy, client = self.fetch(answer, size)
                self.assertEqual(client.recv_response().body, answer)
                spliced += proxy.metrics()["breakwater_bytes_spliced_total"]
        self.assertGreater(spliced, 2_000_000)

    def test_one_that_git_did_not_end_is_cut(self):
        for size in self.CHUNK_SIZES:
            for bytes_of_pack in (1000, 300_000, 3_000_001):
                # (pattern() may end in a 0, which would stand in for the one that is missing; so may four of them for all.)
                whole = line(b"packfile\n") + pack(bytes_of_pack) + line(b"\x01" + b"\xfe" * 20) + b"0000"
                for missing in (1, 4, 5, 779):
                    self.assertFalse(whole[:-missing].endswith(b"0000"))  # of what was spliced only the end is seen
                    with self.subTest(size=size, bytes_of_pack=bytes_of_pack, missing=missing):
                        proxy, client = self.fetch(whole[:-missing], size)
                        if bytes_of_pack == 1000:  # nothing of it was sent on yet
                            self.assertEqual(client.recv_response().status, 502)
                        else:
                            client.recv_aborted()
                        entry = proxy.wait_for_log(lambda entry: True)
                        self.assertEqual((entry["ended_by"], entry["reason"]), ("server", "server truncated"))

    def test_the_flush_pkt_may_come_in_any_pieces(self):
        for bytes_of_pack in (1000, 3_000_000):
            body = line(b"packfile\n") + pack(bytes_of_pack)
            start = [body[at:at + 8000] for at in range(0, len(body), 8000)]
            for end in ([b"0000"], [b"0", b"000"], [b"00", b"00"], [b"0", b"0", b"0", b"0"]):
                answer = CHUNKED + RESULT + b"\r\n\r\n" + chunked(*start, *end)
                server = self.server(always(answer))
                client = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"'))
                self.assertEqual(client.ask(upload_pack(CLONE_V2)).body, body + b"0000")

    def test_what_git_says_of_its_failure_is_passed_on(self):
        for error in (line(b"ERR upload-pack: not our ref " + OID), line(b"packfile\n") + pack() + line(b"\x03fatal: no")):
            _, client = self.fetch(error, 8000)
            self.assertEqual(client.recv_response().body, error)

    def test_what_cannot_be_proven_is_believed(self):
        for request in (upload_pack(request_v0(b"multi_ack", b"done\n"), 0),
                        upload_pack(request_v0(b"multi_ack side-band-64k", b"have " + OID + b"\n"), 0),
                        upload_pack(b"\x1f\x8b gzip", 0, b"Content-Encoding: gzip"),
                        upload_pack(b"no pkt-lines")):
            _, client = self.fetch(b"hello", 8000, request)
            self.assertEqual(client.recv_response().body, b"hello")


class Ends(ProxyTest):
    def test_chunks_of_every_size_and_cut_pass_byte_for_byte(self):
        rng = random.Random(5)
        for size in (1048576 - 5, 1048576 - 4, 1048576 - 3, 1048576, 1048577, 1048580, 65532, 65536, 65540):
            body = line(b"packfile\n") + pack(4_000_000) + b"0000"
            server = self.server(always(in_chunks(body, size, RESULT)))
            client = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"'))
            self.assertTrue(client.ask(upload_pack(CLONE_V2)).body == body)
        for seed in range(30):
            rng = random.Random(seed)
            body = line(b"packfile\n") + pack(700_000) + b"0000"
            pieces, at = [], 0
            while at < len(body):
                n = rng.choice([1, 2, 3, 4, 5, 6, 7, 100, 4000, 8000, 30000]) if at > 300000 else 8000
                pieces.append(body[at:at + n]); at += n
            raw = CHUNKED + RESULT + b"\r\n\r\n" + chunked(*pieces)
            def script(peer):
                peer.read_request()
                at = 0
                while at < len(raw):
                    n = rng.choice([1, 2, 3, 7, 1000, 20000, 60000]) if at > 650000 else 60000
                    peer.send(raw[at:at + n]); at += n
            server = self.server(script)
            proxy = self.proxy(server, tables='upload_pack_framing = "chunked"')
            client = self.client(proxy)
            self.assertTrue(client.ask(upload_pack(CLONE_V2)).body == body, seed)

    def test_every_way_in_which_git_may_end_passes(self):
        whole_v0 = line(b"NAK\n") + pack(300_000) + b"0000"
        shallow = line(b"shallow " + OID) + b"0000" + whole_v0
        done = request_v0(b"multi_ack side-band-64k", b"done\n")
        cases = [
            ("v0", upload_pack(done, 0), whole_v0), ("v0 shallow", upload_pack(done, 0), shallow),
            ("v0 band 3", upload_pack(done, 0), line(b"NAK\n") + line(b"\x03no")),
            ("v0 band 3 and flush", upload_pack(done, 0), line(b"NAK\n") + line(b"\x03no") + b"0000"),
            ("v0 ERR", upload_pack(done, 0), line(b"ERR no")),
            ("v0 ERR and flush", upload_pack(done, 0), line(b"ERR no") + b"0000"),
            ("v2 band 3", upload_pack(CLONE_V2), line(b"packfile\n") + line(b"\x03no")),
            ("v2 band 3 newline progress", upload_pack(CLONE_V2), line(b"packfile\n") + line(b"\x03no") + line(b"\x02bye")),
        ]
        for name, request, body in cases:
            with self.subTest(name):
                server = self.server(always(in_chunks(body, 8000, RESULT)))
                reply = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"')).ask(request)
                self.assertEqual((reply.status, reply.body == body), (200, True))
        with self.subTest("1.0"):
            server = self.server(always(in_chunks(whole_v0, 8000, RESULT)))
            reply = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"')).ask(upload_pack(done, 0).replace(b"HTTP/1.1", b"HTTP/1.0"))
            self.assertTrue(reply.body == whole_v0)
        with self.subTest("trailers"):
            raw = CHUNKED + RESULT + b"\r\n\r\n" + chunked(*[whole_v0[a:a+8000] for a in range(0, len(whole_v0), 8000)], trailers=[b"X-A: b"])
            server = self.server(always(raw))
            reply = self.client(self.proxy(server, tables='upload_pack_framing = "chunked"')).ask(upload_pack(done, 0))
            self.assertTrue(reply.body == whole_v0)


class OtherServers(ProxyTest):
    """A useless answer to a read is not begun if another server can do better."""

    USELESS = {
        "500": b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno",
        "503": b"HTTP/1.1 503 Busy\r\nRetry-After: 9\r\nContent-Length: 2\r\n\r\nno",
        "a web page": ok(b"<html>", b"Content-Type: text/html; charset=UTF-8"),
        "an error of Git's": ok(line(b"ERR access denied"), ADVERTISEMENT),
        "no refs": ok(line(b"# service=git-upload-pack\n") + b"0000", ADVERTISEMENT),
        "no refs, in chunks": in_chunks(line(b"# service=git-upload-pack\n") + b"0000", 99, ADVERTISEMENT),
        "nothing": ok(b"", ADVERTISEMENT),
    }

    def test_refs_come_from_the_server_that_has_them(self):
        for name, answer in self.USELESS.items():
            with self.subTest(name):
                bad, good = self.server(always(answer)), self.server(always(ok(REFS, ADVERTISEMENT)))
                proxy = self.proxy(bad, good)
                client = self.client(proxy)
                self.assertEqual(client.ask(INFO_REFS).body, REFS)
                entry = proxy.wait_for_log(lambda entry: True)
                self.assertEqual((entry["status"], entry["attempts"], entry["server"]), (200, 2, good.address))
                self.assertEqual(len(bad.requests), 1)

    def test_if_nobody_does_better_the_last_answer_is_passed_on(self):
        for name, answer in self.USELESS.items():
            with self.subTest(name):
                servers = [self.server(always(answer)) for _ in range(2)]
                reply = self.client(self.proxy(*servers)).ask(INFO_REFS)
                self.assertNotEqual(reply.status, 502)
                self.assertEqual([len(server.requests) for server in servers], [1, 1])

    def test_a_pack_that_this_server_lacks_comes_from_another(self):
        error = ok(line(b"ERR upload-pack: not our ref " + OID), RESULT)
        replica, primary = self.server(always(error)), self.server(always(ok(ANSWER_V2, RESULT)))
        proxy = self.proxy(replica, primary, tables='upload_pack_framing = "chunked"')
        for _ in range(12):  # it is no failure of the server's, so it is not ejected
            self.assertEqual(self.client(proxy).ask(upload_pack(CLONE_V2)).body, ANSWER_V2)
        self.assertEqual(len(replica.requests), 6)

    def test_pushes_go_to_primaries_and_what_a_replica_lacks_comes_from_there(self):
        error = ok(line(b"ERR upload-pack: not our ref " + OID), RESULT)
        replica = self.server(*[always(error)] * 9)
        primary = self.server(*[always(ok(ANSWER_V2, RESULT))] * 9)
        words = [replica.address, primary.address + " primary"]
        proxy = self.proxy(*words, tables='upload_pack_framing = "chunked"')
        client = self.client(proxy)
        push_refs = INFO_REFS.replace(b"upload-pack", b"receive-pack")
        for request in (push_refs, git_post("receive-pack", b"0000PACK")):
            client.ask(request)
        self.assertEqual((len(replica.requests), len(primary.requests)), (0, 2))
        fetch = upload_pack(CLONE_V2).replace(b"/repo.git", b"/other.git")  # no operation that began at the primary
        self.assertEqual(self.client(proxy).ask(fetch).body, ANSWER_V2)
        self.assertEqual((len(replica.requests), len(primary.requests)), (1, 3))

    def test_a_web_page_of_the_web_is_passed_on(self):
        answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"
        bad, other = self.server(always(answer)), self.server(always(ok(b"x")))
        self.assertEqual(self.client(self.proxy(bad, other)).ask(get(b"/team/repo")).status, 500)
        self.assertEqual(other.requests, [])

    def test_a_push_is_answered_by_one_server(self):
        answer = b"HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno"
        bad, other = self.server(always(answer)), self.server(always(ok(b"x")))
        self.assertEqual(self.client(self.proxy(bad, other)).ask(git_post("receive-pack", b"0000PACK")).status, 500)
        self.assertEqual(other.requests, [])

    def test_a_server_behind_which_git_is_dead_is_ejected(self):
        bad, good = self.server(always(self.USELESS["no refs"])), self.server(always(ok(REFS, ADVERTISEMENT)))
        proxy = self.proxy(bad, good)
        for _ in range(40):
            self.assertEqual(self.client(proxy).ask(INFO_REFS).body, REFS)
        self.assertEqual(len(bad.requests), 5)

    def test_a_reset_behind_the_head_is_one_before_the_answer(self):
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n" + ADVERTISEMENT + b"\r\n\r\n")
            peer.reset()

        bad, good = self.server(script), self.server(always(ok(REFS, ADVERTISEMENT)))
        self.assertEqual(self.client(self.proxy(bad, good)).ask(INFO_REFS).body, REFS)

    def test_a_pack_by_1_0_whose_connection_ends_behind_the_head_comes_from_another_server(self):
        def script(peer):
            peer.answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + RESULT + b"\r\n\r\n")
            peer.close()

        bad, good = self.server(script), self.server(always(ok(ANSWER_V2, RESULT)))
        proxy = self.proxy(bad, good, tables='upload_pack_framing = "until-close"')
        self.assertEqual(self.client(proxy).ask(upload_pack(CLONE_V2)).body, ANSWER_V2)


class Operations(ProxyTest):
    def test_a_post_on_another_connection_goes_where_the_refs_came_from(self):
        servers = [self.server(always(ok(REFS, ADVERTISEMENT))) for _ in range(3)]
        proxy = self.proxy(*servers, cores=2)
        counts = lambda: [len(server.requests) for server in servers]
        for _ in range(12):
            before = counts()
            self.client(proxy).ask(INFO_REFS)
            self.client(proxy).ask(git_post("upload-pack", CLONE_V2))
            self.assertEqual(sorted(after - was for was, after in zip(before, counts())), [0, 0, 2])
        self.assertTrue(all(counts()), "a new operation is balanced anew")

    def test_of_another_repository_or_another_user_it_does_not(self):
        servers = [self.server(always(ok(REFS, ADVERTISEMENT))) for _ in range(3)]
        proxy = self.proxy(*servers)
        self.client(proxy).ask(INFO_REFS)
        self.client(proxy).ask(git_post("upload-pack", CLONE_V2, b"/team/other.git"))
        request = git_post("upload-pack", CLONE_V2).replace(b"\r\n", b"\r\nAuthorization: Basic eDp5\r\n", 1)
        self.client(proxy).ask(request)
        self.assertEqual([len(server.requests) for server in servers], [1, 1, 1])


if __name__ == "__main__":
    main()
