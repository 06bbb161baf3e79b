"""The sticky cookie: pages come from the server that gave it, Git never hears of it, and nothing in it can be read or made up."""

import base64
import hashlib
import hmac
import json
import os
import tempfile

from dns_server import DnsServer
from dns_test import ServerAt
from support import ProxyTest, RawClient, RefusingServer, ScriptedServer, always, chunked, get, git_post, main, ok

KEY = b"0123456789abcdef0123456789abcdef"
STICKY = 'sticky = "SERVERID"\n'
VALUE = rb"[A-Za-z0-9_-]{22}"


def value_of(key, server, pool=b"test"):
    """As any node makes it."""
    mac = hmac.new(key, b"breakwater sticky\0" + pool + b"\0" + server.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(mac[:16]).rstrip(b"=")


class StickyTest(ProxyTest):
    def setUp(self):
        super().setUp()
        handle, self.key_file = tempfile.mkstemp(prefix="breakwater-sticky-")
        os.write(handle, KEY + b"\n")
        os.close(handle)
        self.addCleanup(os.unlink, self.key_file)
        self.with_key = STICKY + f"sticky_key_file = {json.dumps(self.key_file)}\n"

    def named(self, *fields):
        """Answers whatever it is asked with its own address."""
        server = self.keep(ScriptedServer(lambda peer: self.answer_all(peer, server, fields)))
        return server

    @staticmethod
    def answer_all(peer, server, fields):
        while True:
            peer.answer(ok(server.address.encode(), *fields))

    def page(self, proxy, cookie=None, *fields):
        """The answer for a new client: (which server, its Set-Cookie fields, the whole answer)."""
        if cookie is not None:
            fields = (b"Cookie: " + cookie, *fields)
        reply = self.client(proxy).ask(get(b"/team/repo", *fields))
        return reply.body.decode(), reply.head.values("set-cookie"), reply

    def first_visit(self, proxy):
        server, cookies, _ = self.page(proxy)
        self.assertEqual(len(cookies), 1)
        return server, cookies[0].split(b";")[0]

    def say(self, proxy, server, state):
        body = json.dumps({"state": state}).encode()
        client = RawClient(proxy.admin_port)
        self.clients.append(client)
        reply = client.ask(b"POST /servers/test/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
                           % (server.encode(), len(body)) + body)
        self.assertEqual(reply.status, 200, reply)


class Pages(StickyTest):
    def test_the_first_visit_gets_a_cookie_and_later_ones_go_to_its_server(self):
        proxy = self.proxy(self.named(), self.named(), self.named(), tables=STICKY)
        servers = set()
        for _ in range(6):
            server, cookie = self.first_visit(proxy)
            self.assertRegex(cookie, rb"^SERVERID=" + VALUE + rb"$")
            servers.add(server)
            for _ in range(4):
                again, cookies, reply = self.page(proxy, cookie)
                self.assertEqual((again, cookies), (server, []))
                self.assertEqual(reply.head.values("cache-control"), [])
        self.assertEqual(len(servers), 3)  # who has none is spread as ever

    def test_its_attributes(self):
        for tables, attributes in (("", b"Path=/; HttpOnly; SameSite=Lax"),
                                   ('sticky_secure = true\n', b"Path=/; HttpOnly; SameSite=Lax; Secure"),
                                   ('sticky_max_age = "2h"\n', b"Path=/; Max-Age=7200; HttpOnly; SameSite=Lax")):
            _, (cookie,), _ = self.page(self.proxy(self.named(), tables=STICKY + tables))
            self.assertEqual(cookie.split(b"; ", 1)[1], attributes)

    def test_it_is_secure_where_a_trusted_proxy_says_https(self):
        https = (b"X-Forwarded-Proto: https",)
        for trusted, told, secure in ((["127.0.0.0/8"], https, True), (["127.0.0.0/8"], (), False),
                                      (["127.0.0.0/8"], (b"X-Forwarded-Proto: http, https",), False), ([], https, False)):
            proxy = self.proxy(self.named(), tables=STICKY, trusted=trusted)
            _, (cookie,), _ = self.page(proxy, None, *told)
            self.assertEqual(cookie.endswith(b"; Secure"), secure, (trusted, told))

    def test_the_value_is_what_every_node_with_the_key_makes_of_the_servers_name(self):
        first, second = self.named(), self.named()
        for _ in range(2):
            proxy = self.proxy(first, second, tables=self.with_key)
            for server in (first, second):
                cookie = b"SERVERID=" + value_of(KEY, server.address)
                self.assertEqual(self.page(proxy, cookie)[:2], (server.address, []))
            server, cookie = self.first_visit(proxy)
            self.assertEqual(cookie, b"SERVERID=" + value_of(KEY, server))

    def test_without_a_key_file_a_start_does_not_know_the_cookies_of_another(self):
        servers = self.named(), self.named()
        server, cookie = self.first_visit(self.proxy(*servers, tables=STICKY))
        _, cookies, _ = self.page(self.proxy(*servers, tables=STICKY), cookie)
        self.assertEqual(len(cookies), 1)
        self.assertNotEqual(cookies[0].split(b";")[0], cookie)

    def test_forged_and_foreign_values_are_replaced(self):
        first, second = self.named(), self.named()
        proxy = self.proxy(first, second, tables=self.with_key)
        right = value_of(KEY, first.address)
        for wrong in (b"", b"0", b"1", first.address.encode(), value_of(b"x" * 32, first.address),
                      value_of(KEY, first.address, b"other"), right[:-1], right + b"A", right.swapcase(), b"x" * 3000,
                      b'"' + right + b'"', right.replace(right[:1], b"%41", 1)):
            server, cookies, _ = self.page(proxy, b"SERVERID=" + wrong)
            self.assertEqual([cookie.split(b";")[0] for cookie in cookies], [b"SERVERID=" + value_of(KEY, server)], wrong)

    def test_the_right_one_is_found_among_others(self):
        first, second = self.named(), self.named()
        proxy = self.proxy(first, second, tables=self.with_key)
        right = b"SERVERID=" + value_of(KEY, second.address)
        for cookies in (b"a=1; " + right + b"; b=2", b"SERVERID=old; " + right, b"serverid=x;" + right + b";",
                        b"XSERVERID=1; " + right):
            self.assertEqual(self.page(proxy, cookies)[:2], (second.address, []), cookies)
        reply = self.page(proxy, b"a=1", b"Cookie: " + right)
        self.assertEqual(reply[:2], (second.address, []))


class Servers(StickyTest):
    def test_none_hears_of_it_and_the_other_cookies_pass_as_they_are(self):
        server = self.named()
        proxy = self.proxy(server, tables=self.with_key)
        right = b"SERVERID=" + value_of(KEY, server.address)
        for sent, passed in ((right, []), (b"SERVERID=forged", []), (right + b"; a=1", [b"a=1"]), (b"a=1; " + right, [b"a=1"]),
                             (b"a=1;  b=\"x y\"; " + right + b";c", [b"a=1;  b=\"x y\";c"]), (b"a=1; b=2", [b"a=1; b=2"]),
                             (b"serverid=1;;x", [b"serverid=1;;x"])):
            self.page(proxy, sent)
            self.assertEqual(server.requests[-1].head.values("cookie"), passed, sent)
        self.assertNotIn(b"SERVERID", server.received)

    def test_one_of_a_server_with_the_same_name_does_not_pass_and_others_do(self):
        server = self.named(b"Set-Cookie: SERVERID=theirs; Path=/", b"Set-Cookie: i_like_gogs=1; Path=/", b"Set-Cookie: SERVERIDX=2")
        proxy = self.proxy(server, tables=self.with_key)
        ours = b"SERVERID=" + value_of(KEY, server.address)
        theirs = [b"i_like_gogs=1; Path=/", b"SERVERIDX=2"]
        self.assertEqual(self.page(proxy)[1], theirs + [ours + b"; Path=/; HttpOnly; SameSite=Lax"])
        self.assertEqual(self.page(proxy, ours)[1], theirs)

    def test_no_shared_cache_keeps_an_answer_that_sets_it(self):
        for told, becomes in (((), [b"private"]), ((b"Cache-Control: public, max-age=60",), [b"public, max-age=60", b"private"]),
                              ((b"Cache-Control: no-store",), [b"no-store"]),
                              ((b"Cache-Control: max-age=0, private, must-revalidate",), [b"max-age=0, private, must-revalidate"]),
                              ((b"Cache-Control: private=\"set-cookie\"",), [b"private=\"set-cookie\"", b"private"])):
            server = self.named(*told)
            proxy = self.proxy(server, tables=self.with_key)
            self.assertEqual(self.page(proxy)[2].head.values("cache-control"), becomes)
            _, _, reply = self.page(proxy, b"SERVERID=" + value_of(KEY, server.address))
            self.assertEqual(reply.head.values("cache-control"), [line.split(b": ", 1)[1] for line in told])

    def test_a_websocket_is_given_one_too(self):
        def script(peer):
            peer.read_head()
            peer.send(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")

        server = self.server(script)
        proxy = self.proxy(server, tables=self.with_key)
        client = self.client(proxy)
        client.send(get(b"/live", b"Connection: Upgrade", b"Upgrade: websocket"))
        self.assertTrue(client.recv_head().value("set-cookie").startswith(b"SERVERID=" + value_of(KEY, server.address)))

    def test_one_that_is_drained_keeps_its_clients_and_gets_no_new_ones(self):
        proxy = self.proxy(self.named(), self.named(), tables=STICKY)
        server, cookie = self.first_visit(proxy)
        self.say(proxy, server, "drain")
        for _ in range(4):
            self.assertEqual(self.page(proxy, cookie)[:2], (server, []))
            self.assertNotEqual(self.page(proxy)[0], server)

    def test_one_with_a_weight_of_nothing_keeps_its_clients(self):
        first, second = self.named(), self.named()
        proxy = self.proxy(f"{first.address} weight=0", second, tables=self.with_key)
        self.assertEqual(self.page(proxy)[0], second.address)
        self.assertEqual(self.page(proxy, b"SERVERID=" + value_of(KEY, first.address))[:2], (first.address, []))

    def test_one_that_is_full_loses_them(self):
        full, other = self.server(lambda peer: peer.read_request()), self.named()  # the first answers nobody
        proxy = self.proxy(f"{full.address} max=1", other, tables=self.with_key)
        cookie = b"SERVERID=" + value_of(KEY, full.address)
        waits = self.client(proxy)
        waits.send(get(b"/slow", b"Cookie: " + cookie))
        full.connection(0).wait_requests(1)
        server, cookies, _ = self.page(proxy, cookie)
        self.assertEqual((server, len(cookies)), (other.address, 1))
        waits.reset()

    def test_one_in_maintenance_loses_them(self):
        proxy = self.proxy(self.named(), self.named(), tables=STICKY)
        server, cookie = self.first_visit(proxy)
        self.say(proxy, server, "maintenance")
        other, cookies, _ = self.page(proxy, cookie)
        self.assertNotEqual(other, server)
        self.assertEqual(len(cookies), 1)
        self.say(proxy, server, "ready")
        self.assertEqual(self.page(proxy, cookies[0].split(b";")[0])[:2], (other, []))

    def test_one_that_can_not_be_reached_loses_them_and_nobody_notices(self):
        gone, lives = self.keep(RefusingServer()), self.named()
        proxy = self.proxy(gone, lives, tables=self.with_key)
        cookie = b"SERVERID=" + value_of(KEY, gone.address)
        for _ in range(3):  # the first time by a connect that fails, then because it is down
            server, cookies, _ = self.page(proxy, cookie)
            self.assertEqual(server, lives.address)
            self.assertEqual([each.split(b";")[0] for each in cookies], [b"SERVERID=" + value_of(KEY, lives.address)])

    def test_one_of_a_name_has_a_value_of_its_address_and_is_left_when_that_is_gone(self):
        one, two = "127.0.0.1", "127.0.0.2"
        first = self.keep(ServerAt(one, 0, always(ok(one.encode()))))
        self.keep(ServerAt(two, first.port, always(ok(two.encode()))))
        dns = self.keep(DnsServer())
        dns.set("git.test", one, two)
        name = f"git.test:{first.port}"
        proxy = self.proxy(name, tables=self.with_key + f'[dns]\nservers = ["{dns.address}"]\nmin_ttl = "100ms"\n')
        cookies = {ip: b"SERVERID=" + value_of(KEY, f"{name} {ip}:{first.port}") for ip in (one, two)}
        for ip, cookie in cookies.items():
            for _ in range(3):
                self.assertEqual(self.page(proxy, cookie)[:2], (ip, []))
        dns.set("git.test", two)
        proxy.stderr.wait_for(lambda line: f"{name} is at {two}:{first.port} now" in line)
        ip, given, _ = self.page(proxy, cookies[one])
        self.assertEqual((ip, [each.split(b";")[0] for each in given]), (two, [cookies[two]]))


class Git(StickyTest):
    def test_it_gets_none_ignores_it_and_its_server_hears_nothing_of_it(self):
        first, second = self.named(), self.named()
        proxy = self.proxy(first, second, tables=self.with_key + 'balance = "round-robin"\n')
        cookie = b"Cookie: a=1; SERVERID=" + value_of(KEY, first.address)
        for path in (b"/info/refs?service=git-upload-pack", b"/HEAD", b"/info/lfs/objects/x"):
            seen = set()
            for number in range(4):  # each an operation of its own, or they would keep to one server
                reply = self.client(proxy).ask(get(b"/team/repo%d%s.git%s" % (number, path[1:3], path), cookie))
                self.assertEqual((reply.head.values("set-cookie"), reply.head.values("cache-control")), ([], []))
                seen.add(reply.body.decode())
            self.assertEqual(len(seen), 2, path)  # by turns, whatever the cookie says
        self.assertNotIn(b"SERVERID", first.received + second.received)
        self.assertTrue(all(each.head.value("cookie") == b"a=1" for each in first.requests))

    def test_a_push_neither(self):
        server = self.named()
        proxy = self.proxy(server, tables=STICKY)
        reply = self.client(proxy).ask(git_post("receive-pack") + chunked(b"0000"))
        self.assertEqual(reply.head.values("set-cookie"), [])


class Off(StickyTest):
    def test_without_the_key_nothing_is_touched(self):
        server = self.named(b"Set-Cookie: SERVERID=theirs")
        proxy = self.proxy(server, self.named(b"Set-Cookie: SERVERID=theirs"))
        _, cookies, reply = self.page(proxy, b"SERVERID=x; b=1")
        self.assertEqual((cookies, reply.head.values("cache-control")), ([b"SERVERID=theirs"], []))

    def test_a_key_file_that_is_no_key_stops_the_start(self):
        with open(self.key_file, "w", encoding="utf-8") as file:
            file.write("too short\n")
        with self.assertRaisesRegex(AssertionError, "must have 16 to 4096 bytes"):
            self.proxy(self.named(), tables=self.with_key)


if __name__ == "__main__":
    main()
