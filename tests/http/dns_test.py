"""Servers that are names: their addresses come and go, their records grow old, and nobody may answer."""

import re
import socket
import threading
import unittest

from dns_server import A, AAAA, SRV, DnsServer
from support import LOOPBACK, ProxyTest, ScriptedServer, always, get, git_post, main, ok

ONE, TWO, THREE = "127.0.0.1", "127.0.0.2", "127.0.0.3"
V6 = "::1"
STEADY = 'slow_start = "off"\n'  # each has its whole share at once


def has_ipv6():
    try:
        socket.create_server((V6, 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


class ServerAt(ScriptedServer):
    """At an address, and at a port if need be, of its own choice."""

    def __init__(self, ip, port, *scripts):
        self.ip, self.port = ip, port
        super().__init__(*scripts)

    def _listen(self):
        family = socket.AF_INET6 if ":" in self.ip else socket.AF_INET
        self.listener = socket.create_server((self.ip, self.port), family=family, backlog=64)
        self.port = self.listener.getsockname()[1]
        self.address = f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


class DnsTest(ProxyTest):
    def setUp(self):
        super().setUp()
        self.dns = self.keep(DnsServer())

    def servers_at(self, *ips, script=None):
        """One on each address, all on one port; each answers with its address."""
        servers = []
        for ip in ips:
            port = servers[0].port if servers else 0
            servers.append(self.keep(ServerAt(ip, port, script or always(ok(ip.encode())))))
        return servers

    def named_proxy(self, *servers, pool=STEADY, dns="", **options):
        """`dns`: more keys of [dns]; names are looked up again every 100 ms, unless their TTL is longer."""
        tables = f'{pool}\n[dns]\nservers = ["{self.dns.address}"]\n'
        for key, value in (("min_ttl", "100ms"), ("max_ttl", "30s"), ("timeout", "300ms")):
            if f"{key} =" not in dns:
                tables += f'{key} = "{value}"\n'
        return self.proxy(*servers, tables=tables + dns, **options)

    def ask(self, proxy, count=1):
        """Who answers, for each of so many requests."""
        return [self.client(proxy).ask(get()).body.decode() for _ in range(count)]

    def wait_said(self, proxy, text):
        found = proxy.stderr.wait_for(lambda line: text in line)
        self.assertIsNotNone(found, proxy.stderr.text())

    def times_said(self, proxy, text):
        return sum(text in line for line in proxy.stderr.text().splitlines())


class Addresses(DnsTest):
    def test_all_addresses_get_requests_and_the_log_tells_them_apart(self):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("git.test", ONE, TWO)
        proxy = self.named_proxy(f"git.test:{one.port}")
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])
        for ip in (ONE, TWO):
            proxy.wait_for_log(lambda entry, ip=ip: entry["server"] == f"git.test:{one.port} {ip}:{one.port}")

    def test_a_name_with_one_address_is_called_by_its_name(self):
        (one,) = self.servers_at(ONE)
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port}")
        self.assertEqual(self.client(proxy).ask(b"GET /old HTTP/1.0\r\n\r\n").body, ONE.encode())
        proxy.wait_for_log(lambda entry: entry["server"] == f"git.test:{one.port}")
        self.assertEqual(one.requests[0].head.value("host"), f"git.test:{one.port}".encode())

    def test_one_that_is_added_gets_requests(self):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port}")
        self.assertEqual(self.ask(proxy, 4), [ONE] * 4)
        self.dns.set("git.test", TWO, ONE)
        self.wait_said(proxy, f"git.test:{one.port} is at {ONE}:{one.port}, {TWO}:{one.port} now")
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])

    def test_one_that_is_removed_gets_none_while_its_transfer_ends(self):
        may_end = threading.Event()

        def script(peer):
            peer.read_request()
            peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
            may_end.wait()
            peer.send(b"world")
            always(ok(ONE.encode()))(peer)

        self.addCleanup(may_end.set)
        one = self.keep(ServerAt(ONE, 0, script, always(ok(ONE.encode()))))
        self.keep(ServerAt(TWO, one.port, always(ok(TWO.encode()))))
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port}", cores=2)
        client = self.client(proxy)
        client.send(get(b"/long"))
        client.read_head()
        self.assertEqual(client.read_exact(5), b"hello")
        self.dns.set("git.test", TWO)
        self.wait_said(proxy, f"is at {TWO}:{one.port} now")
        self.assertEqual(self.ask(proxy, 5), [TWO] * 5)
        may_end.set()
        self.assertEqual(client.read_exact(5), b"world")
        self.assertEqual(len(one.requests), 1)
        self.dns.set("git.test", ONE, TWO)  # and when it comes back it is used again
        self.wait_said(proxy, f"is at {ONE}:{one.port}, {TWO}:{one.port} now")
        self.assertEqual(set(self.ask(proxy, 8)), {ONE, TWO})

    def test_an_operation_goes_on_where_it_began(self):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port}")
        client = self.client(proxy)
        self.assertEqual(client.ask(git_post("receive-pack", b"0000")).body, ONE.encode())
        self.dns.set("git.test", TWO)
        self.wait_said(proxy, f"is at {TWO}:{one.port} now")
        self.assertEqual(client.ask(git_post("receive-pack", b"0000")).body, ONE.encode())
        self.assertEqual(self.client(proxy).ask(git_post("receive-pack", b"0000")).body, TWO.encode())

    def test_idle_connections_are_to_the_address_that_a_slot_has(self):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port} slots=1")
        self.assertEqual(self.ask(proxy), [ONE])
        self.dns.set("git.test", TWO)
        self.wait_said(proxy, f"is at {TWO}:{one.port} now")
        self.assertEqual(self.ask(proxy, 3), [TWO] * 3)
        self.assertEqual(one.connection(0).wait_end(), "fin")

    def test_more_addresses_than_slots(self):
        one, *_ = self.servers_at(ONE, TWO, THREE)
        self.dns.set("git.test", THREE, TWO, ONE)
        proxy = self.named_proxy(f"git.test:{one.port} slots=2")
        said = f"git.test:{one.port} has 3 addresses and 2 slots; not used: {THREE}:{one.port}"
        self.wait_said(proxy, said)
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])
        self.dns.set("git.test", ONE, THREE, TWO)
        self.dns.wait_asked("git.test", len(self.dns.times("git.test")) + 3)
        self.assertEqual(self.times_said(proxy, said), 1)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_ipv6(self):
        one, _ = self.servers_at(ONE, V6)
        self.dns.set("git.test", V6)
        proxy = self.named_proxy(f"git.test:{one.port}")
        self.assertEqual(self.ask(proxy, 2), [V6, V6])
        self.dns.set("git.test", V6, ONE)
        self.wait_said(proxy, f"is at {ONE}:{one.port}, [{V6}]:{one.port} now")
        self.assertEqual(sorted(self.ask(proxy, 2)), [ONE, V6])
        proxy.wait_for_log(lambda entry: entry["server"] == f"git.test:{one.port} [{V6}]:{one.port}")

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_an_ipv6_address_is_no_name(self):
        (server,) = self.servers_at(V6)
        self.assertEqual(self.ask(self.proxy(server)), [V6])
        self.assertEqual(self.dns.questions, [])


class Services(DnsTest):
    def service_proxy(self, pool=STEADY):
        return self.named_proxy("srv:_git._tcp.test", pool=pool)

    def test_ports_and_hosts_come_from_the_records(self):
        one, two = self.servers_at(ONE)[0], self.servers_at(TWO)[0]
        self.dns.set("one.test", ONE)
        self.dns.set("two.test", TWO)
        self.dns.set("_git._tcp.test", (1, 1, one.port, "one.test"), (1, 1, two.port, "two.test"))
        proxy = self.service_proxy()
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])
        proxy.wait_for_log(lambda entry: entry["server"] == f"srv:_git._tcp.test {TWO}:{two.port}")
        for _ in range(2):
            self.client(proxy).ask(b"GET /old HTTP/1.0\r\n\r\n")
        self.assertEqual(one.requests[-1].head.value("host"), f"one.test:{one.port}".encode())

    def test_the_lowest_priority_first_and_others_are_backups(self):
        one, two = self.servers_at(ONE)[0], self.servers_at(TWO)[0]
        self.dns.set("one.test", ONE)
        self.dns.set("two.test", TWO)
        self.dns.set("_git._tcp.test", (20, 9, two.port, "two.test"), (10, 0, one.port, "one.test"))
        proxy = self.service_proxy()
        self.assertEqual(self.ask(proxy, 4), [ONE] * 4)
        one.listener.shutdown(socket.SHUT_RDWR)
        one.close()
        self.assertEqual(self.ask(proxy, 4), [TWO] * 4)
        self.dns.set("_git._tcp.test", (20, 9, two.port, "two.test"))
        self.wait_said(proxy, f"srv:_git._tcp.test is at {TWO}:{two.port} now")
        self.assertEqual(self.ask(proxy, 2), [TWO] * 2)

    def test_a_name_was_cut_at_a_zero_byte_and_taken_for_a_host(self):
        one, two = self.servers_at(ONE)[0], self.servers_at(TWO)[0]
        self.dns.set("one.test", ONE)
        self.dns.set("two.test", TWO)
        self.dns.set("_git._tcp.test", (1, 1, one.port, "one.test"), (1, 1, two.port, "two.test.\0.test"))
        self.assertEqual(self.ask(self.service_proxy(), 4), [ONE] * 4)
        self.assertEqual(self.dns.times("two.test"), [])

    def test_two_ports_of_one_host(self):
        one, other = self.servers_at(ONE)[0], self.servers_at(ONE, script=always(ok(b"other")))[0]
        self.dns.set("one.test", ONE)
        self.dns.set("_git._tcp.test", (1, 1, one.port, "one.test"), (1, 1, other.port, "one.test"))
        proxy = self.service_proxy()
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, "other", "other"])
        self.dns.break_down(A, AAAA)
        self.wait_said(proxy, "srv:_git._tcp.test can't be looked up")
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, "other", "other"])

    def test_weights(self):
        one, two = self.servers_at(ONE)[0], self.servers_at(TWO)[0]
        self.dns.set("one.test", ONE)
        self.dns.set("two.test", TWO)
        self.dns.set("_git._tcp.test", (1, 30, one.port, "one.test"), (1, 10, two.port, "two.test"))
        self.assertEqual(sorted(self.ask(self.service_proxy(), 8)), [ONE] * 6 + [TWO] * 2)

    def test_the_resolver_fails_for_the_records_or_for_one_host(self):
        one, two = self.servers_at(ONE)[0], self.servers_at(TWO)[0]
        self.dns.set("one.test", ONE)
        self.dns.set("two.test", TWO)
        self.dns.set("_git._tcp.test", (1, 1, one.port, "one.test"), (1, 1, two.port, "two.test"))
        proxy = self.service_proxy()
        for types in ((SRV,), (A, AAAA)):
            self.dns.break_down(*types)
            self.wait_said(proxy, "srv:_git._tcp.test can't be looked up")
            self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])
            self.dns.mend()


class Lifetimes(DnsTest):
    def test_a_name_is_asked_for_again_when_its_ttl_ends(self):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("short.test", ONE, ttl=1)
        self.dns.set("long.test", TWO, ttl=20)
        self.named_proxy(f"short.test:{one.port}", f"long.test:{one.port}")
        times = self.dns.wait_asked("short.test", 3)
        for before, after in zip(times, times[1:]):
            self.assertGreaterEqual(after - before, 0.99)
        self.assertEqual(len(self.dns.times("long.test")), 1)

    def test_a_service_is_asked_for_again_when_the_first_of_its_ttls_ends(self):
        (one,) = self.servers_at(ONE)
        self.dns.set("one.test", ONE, ttl=20)
        self.dns.set("_git._tcp.test", (1, 1, one.port, "one.test"), ttl=1)
        self.named_proxy("srv:_git._tcp.test")
        times = self.dns.wait_asked("_git._tcp.test", 3, SRV)
        self.assertGreaterEqual(times[1] - times[0], 0.99)

    def test_bounds(self):
        (one,) = self.servers_at(ONE)
        self.dns.set("git.test", ONE, ttl=3600)
        self.named_proxy(f"git.test:{one.port}", dns='max_ttl = "200ms"\n')
        self.dns.wait_asked("git.test", 4)
        self.dns.set("git.test", ONE, ttl=0)
        self.named_proxy(f"git.test:{one.port}", dns='min_ttl = "500ms"\n')
        known = len(self.dns.times("git.test"))
        times = self.dns.wait_asked("git.test", known + 9)
        self.assertGreater(times[-1] - times[known - 1], 0.5)


class Failures(DnsTest):
    def assert_nothing_changes(self, **how):
        one, _ = self.servers_at(ONE, TWO)
        self.dns.set("git.test", ONE, TWO)
        proxy = self.named_proxy(f"git.test:{one.port}", dns='max_ttl = "200ms"\n')
        self.dns.break_down(**how)
        said = f"git.test:{one.port} can't be looked up: "
        self.wait_said(proxy, said)
        self.wait_said(proxy, "; its known addresses stay")
        self.dns.wait_asked("git.test", len(self.dns.times("git.test")) + 5)
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])
        self.assertEqual(self.times_said(proxy, said), 1)
        metrics = proxy.metrics()
        self.assertGreaterEqual(metrics["breakwater_dns_queries_total"], 2)
        self.assertGreaterEqual(metrics["breakwater_dns_failures_total"], 2)
        self.assertEqual(metrics["breakwater_dns_names_failing"], 1)
        self.dns.mend()
        self.wait_said(proxy, f"git.test:{one.port} can be looked up again")
        self.assertEqual(proxy.metrics()["breakwater_dns_names_failing"], 0)
        self.assertEqual(self.times_said(proxy, " is at "), 0)

    def test_an_error(self):
        self.assert_nothing_changes()

    def test_silence(self):
        self.assert_nothing_changes(silently=True)

    @unittest.skipUnless(has_ipv6(), "this machine has no IPv6")
    def test_of_one_family_only(self):
        one, _ = self.servers_at(ONE, V6)
        self.dns.set("git.test", ONE, V6)
        for broken, kind in (("AAAA", AAAA), ("A", A)):
            with self.subTest(broken=broken):
                proxy = self.named_proxy(f"git.test:{one.port}", dns='max_ttl = "200ms"\n')
                self.dns.break_down(kind)
                self.wait_said(proxy, "can't be looked up")
                self.dns.wait_asked("git.test", len(self.dns.times("git.test", kind)) + 4, kind)
                self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, V6, V6])
                self.dns.mend()

    def test_an_end_while_one_family_was_answered_and_the_other_not(self):
        """What is there so far then came as an answer, and made us ask once more, which c-ares died of."""
        one, _ = self.servers_at(ONE, V6)
        self.dns.set("git.test", ONE, V6)
        proxy = self.named_proxy(f"git.test:{one.port}", dns='max_ttl = "200ms"\n')
        self.dns.break_down(AAAA, silently=True)
        self.dns.wait_asked("git.test", len(self.dns.times("git.test", AAAA)) + 1, AAAA)
        self.dns.wait_asked("git.test", len(self.dns.times("git.test", AAAA)), A)
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, V6, V6])
        proxy.stop()

    def test_no_such_name_is_an_answer(self):
        (one,) = self.servers_at(ONE)
        self.dns.set("git.test", ONE)
        proxy = self.named_proxy(f"git.test:{one.port}", dns='max_ttl = "200ms"\n')
        self.dns.remove("git.test")
        self.wait_said(proxy, f"git.test:{one.port} has no address any more: Domain name not found")
        self.assert_own_reply(proxy, self.client(proxy).ask(get()), 503)
        self.dns.set("git.test", ONE)
        self.wait_said(proxy, f"git.test:{one.port} is at {ONE}:{one.port} now")
        self.assertEqual(self.ask(proxy), [ONE])


class StartUp(DnsTest):
    def assert_no_start(self, sentence, *servers):
        with self.assertRaisesRegex(AssertionError, re.escape(f"breakwater: {sentence}")):
            self.named_proxy(*servers)

    def test_a_name_that_cannot_be_found_is_an_error(self):
        self.dns.set("no_address.test")
        self.dns.set("_git._tcp.test", (1, 1, 80, "gone.test"))
        for server, sentence in {
            "gone.test:80": "the host of gone.test:80 can't be found: Domain name not found",
            "no_address.test:80": "the host of no_address.test:80 can't be found: DNS server returned answer with no data",
            "srv:_gone._tcp.test": "the service of srv:_gone._tcp.test can't be found: Domain name not found",
            "srv:_git._tcp.test": "the service of srv:_git._tcp.test can't be found: Domain name not found",
        }.items():
            with self.subTest(server=server):
                self.assert_no_start(sentence, server)
        self.dns.break_down()
        self.assert_no_start("the host of a.test:80 can't be found: ", "a.test:80")

    def test_unless_the_pool_has_another_server(self):
        one, two = self.servers_at(ONE, TWO)
        proxy = self.named_proxy(two, f"late.test:{one.port}", dns='max_ttl = "200ms"\n')
        self.wait_said(proxy, f"breakwater: the host of late.test:{one.port} can't be found: Domain name not found; "
                              "pool test goes on without it")
        self.assertEqual(self.ask(proxy, 3), [TWO] * 3)
        self.dns.set("late.test", ONE)
        self.wait_said(proxy, f"late.test:{one.port} is at {ONE}:{one.port} now")
        self.assertEqual(sorted(self.ask(proxy, 4)), [ONE, ONE, TWO, TWO])

    def test_a_name_of_the_hosts_file_needs_no_resolver(self):
        server = self.server(always(ok(b"hello")))
        self.dns.break_down()
        self.assertEqual(self.ask(self.named_proxy(f"localhost:{server.port}")), ["hello"])


if __name__ == "__main__":
    main()
