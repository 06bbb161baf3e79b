"""What a head looks like on the other side: the raw target, hop-by-hop and nominated fields, X-Forwarded-*, identity."""

from support import GET, ProxyTest, always, get, main, ok, post


class Rewriting(ProxyTest):
    def forwarded(self, request, answer=ok(b"x"), **options):
        """The request as the server got it, and the client's answer."""
        server = self.server(always(answer))
        client = self.client(self.proxy(server, **options))
        self.reply = client.ask(request)
        self.server_address = server.address.encode()
        return server.requests[0]


class Targets(Rewriting):
    def test_origin_form_passes_byte_for_byte(self):
        for target in (b"/", b"/a%2Fb/../c//d/./e?x=%41&y=a+b&&=", b"/%C3%A9/~u/(x)!$&'*;:@,", b"//", b"/?", b"/team/repo.git/info/refs?service=git-upload-pack"):
            with self.subTest(target):
                self.assertEqual(self.forwarded(get(target)).head_without_ours, get(target))

    def test_every_other_method_passes(self):
        for method in (b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"PROPFIND", b"X-CUSTOM", b"get"):
            with self.subTest(method):
                request = method + b" /x HTTP/1.1\r\nHost: git.example\r\n\r\n"
                self.assertEqual(self.forwarded(request).head_without_ours, request)

    def test_options_of_the_whole_server(self):
        request = b"OPTIONS * HTTP/1.1\r\nHost: git.example\r\n\r\n"
        self.assertEqual(self.forwarded(request).head_without_ours, request)

    def test_options_of_a_whole_server_by_its_name(self):
        """It became a request for `/`, which is another thing (RFC 9112 §3.2.4)."""
        got = self.forwarded(b"OPTIONS http://git.example HTTP/1.1\r\nHost: git.example\r\n\r\n")
        self.assertEqual(got.head_without_ours, b"OPTIONS * HTTP/1.1\r\nHost: git.example\r\n\r\n")

    def test_absolute_form_becomes_origin_form_and_decides_the_host(self):
        for target, path, host in ((b"http://other.example/a%2Fb?c=d", b"/a%2Fb?c=d", b"other.example"),
                                   (b"http://other.example", b"/", b"other.example"),
                                   (b"http://other.example:8080/x", b"/x", b"other.example:8080"),
                                   (b"HTTP://other.example/x", b"/x", b"other.example")):
            with self.subTest(target):
                got = self.forwarded(b"GET " + target + b" HTTP/1.1\r\nX-A: b\r\nHost: " + host + b"\r\n\r\n")
                self.assertEqual(got.head_without_ours, b"GET " + path + b" HTTP/1.1\r\nX-A: b\r\nHost: " + host + b"\r\n\r\n")
                self.assertEqual(got.head.value("x-forwarded-host"), host)

    def test_absolute_form_with_another_host_field_leaves_no_trace_of_that(self):
        # RFC 9112 §3.2.2: a proxy ignores the Host it got and sends one made from the target. Refusing is as safe.
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        reply = self.client(proxy).ask(b"GET http://other.example/ HTTP/1.1\r\nHost: ignored.example\r\n\r\n")
        self.assertIn(reply.status, (200, 400))
        self.assertNotIn(b"ignored.example", server.received)
        if reply.status == 200:
            self.assertEqual(server.requests[0].head.value("host"), b"other.example")

    def test_order_case_and_repetition_of_fields_pass(self):
        fields = [b"aCCept: */*", b"X-Dup: 1", b"Git-Protocol: version=2", b"x-dup: 2", b"X-Empty:", b"Cookie: a=b; c=d",
                  b"Authorization: Basic Z2l0OnNlY3JldA==", b"User-Agent: git/2.39.2", b"X-Latin: caf\xe9", b"under_score: ok"]
        got = self.forwarded(get(b"/x", *fields))
        self.assertEqual([(name + b": " + value).strip() for name, value in got.head.fields
                          if name.lower() not in got.head.TRACING],
                         [b"Host: git.example", *fields])


class HopByHop(Rewriting):
    def test_hop_by_hop_fields_of_a_request_end_here(self):
        got = self.forwarded(get(b"/", b"X-First: 1", b"Connection: keep-alive, X-Private", b"Keep-Alive: timeout=5",
                                 b"X-Private: secret", b"Proxy-Connection: keep-alive", b"TE: trailers", b"Upgrade: foo/2",
                                 b"Proxy-Authorization: Basic eDp5", b"X-Last: 1"))
        self.assertEqual(got.head_without_ours, get(b"/", b"X-First: 1", b"X-Last: 1"))

    def test_hop_by_hop_fields_of_an_answer_end_here(self):
        self.forwarded(GET, ok(b"x", b"X-First: 1", b"Connection: x-private,X-Other", b"Keep-Alive: timeout=5",
                               b"X-Private: secret", b"x-oTHER: secret", b"Proxy-Connection: keep-alive", b"X-Last: 1"))
        self.assertEqual(self.reply.head_without_ours, b"HTTP/1.1 200 OK\r\nX-First: 1\r\nX-Last: 1\r\n\r\n")

    def test_several_connection_fields_count(self):
        got = self.forwarded(get(b"/", b"Connection: X-One", b"X-One: 1", b"X-Two: 2", b"Connection: ,, x-two ,"))
        self.assertEqual(got.head_without_ours, get(b"/"))

    def test_nominating_fields_that_frame_route_or_authenticate_removes_none_of_them(self):
        # Otherwise a client could take away what tells the server how long the body is, whom it is for, or who sent it.
        request = post(b"/x", b"hello", b"Connection: Content-Length, Host, Authorization, X-Forwarded-For, X-Forwarded-Proto",
                       b"Authorization: Basic eDp5")
        got = self.forwarded(request)
        self.assertEqual((got.kind, got.body), ("length", b"hello"))
        self.assertEqual(got.head.value("host"), b"git.example")
        self.assertEqual(got.head.value("authorization"), b"Basic eDp5")
        self.assertEqual(got.head.value("x-forwarded-for"), b"127.0.0.1")
        self.assertEqual(got.head.value("x-forwarded-proto"), b"http")

    def test_an_answers_nomination_of_its_length_does_not_unframe_it(self):
        self.forwarded(GET, ok(b"hello", b"Connection: Content-Length"))
        self.assertEqual((self.reply.kind, self.reply.body), ("length", b"hello"))


class Forwarded(Rewriting):
    LIES = [b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-Proto: https", b"X-Forwarded-Host: evil.example"]
    MORE_LIES = [b"Forwarded: for=6.6.6.6", b"X-Real-IP: 6.6.6.6", b"X-Forwarded-Port: 666", b"X-Forwarded-Server: evil",
                 b"True-Client-IP: 6.6.6.6", b"X_Forwarded_For: 6.6.6.6", b"X-Forwarded_Host: evil.example", b"X_REAL_IP: 6.6.6.6",
                 b"x-forwarded-for: 6.6.6.7"]

    def values(self, head):
        return [b", ".join(head.values(name)) for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host")]

    def test_set_for_every_request(self):
        got = self.forwarded(get(b"/"))
        self.assertEqual(self.values(got.head), [b"127.0.0.1", b"http", b"git.example"])
        for name in ("x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-request-id"):
            self.assertEqual(len(got.head.values(name)), 1)

    def test_values_of_an_untrusted_client_are_replaced(self):
        for options in ({}, {"trusted": []}, {"trusted": ["10.0.0.0/8", "::1/128"]}):
            with self.subTest(options):
                got = self.forwarded(get(b"/", *self.LIES, *self.MORE_LIES), **options)
                self.assertEqual(self.values(got.head), [b"127.0.0.1", b"http", b"git.example"])
                self.assertEqual(got.head_without_ours, get(b"/"))
                self.assertNotIn(b"6.6.6", got.head.raw)
                self.assertNotIn(b"evil", got.head.raw)

    def test_values_of_a_trusted_network_are_kept_and_the_peer_is_added(self):
        for network in ("127.0.0.0/8", "127.0.0.1/32", "0.0.0.0/0"):
            with self.subTest(network):
                got = self.forwarded(get(b"/", *self.LIES), trusted=[network])
                self.assertEqual(self.values(got.head), [b"6.6.6.6, 127.0.0.1", b"https", b"evil.example"])

    def test_a_trusted_list_in_several_fields_stays_in_order(self):
        got = self.forwarded(get(b"/", b"X-Forwarded-For: 1.1.1.1, 2.2.2.2", b"X-A: b", b"X-Forwarded-For: 3.3.3.3"), trusted=["127.0.0.0/8"])
        self.assertEqual(self.values(got.head)[0], b"1.1.1.1, 2.2.2.2, 3.3.3.3, 127.0.0.1")
        self.assertEqual(self.values(got.head)[1:], [b"http", b"git.example"])

    def test_underscore_spellings_are_not_believed_from_a_trusted_network_either(self):
        # A CGI server folds them into the right ones, beside the value that we add to.
        got = self.forwarded(get(b"/", b"X_Forwarded_For: 6.6.6.6"), trusted=["127.0.0.0/8"])
        self.assertNotIn(b"X_Forwarded_For", got.head.raw)

    def test_the_request_id_of_an_untrusted_client_is_replaced(self):
        got = self.forwarded(get(b"/", b"X-Request-Id: made-up"))
        self.assertNotEqual(got.head.value("x-request-id"), b"made-up")

    def test_the_request_id_of_a_client_passes_in_no_spelling(self):
        """One with an underscore did, beside ours, and a CGI server makes the same of both."""
        for trusted in (None, ["127.0.0.0/8"]):
            with self.subTest(trusted):
                got = self.forwarded(get(b"/", b"X_Request_Id: made-up", b"X-Request_Id: made-up"), trusted=trusted)
                self.assertNotIn(b"made-up", got.head.raw)

    def test_the_request_id_is_the_one_in_the_log(self):
        server = self.server(always(ok(b"x")))
        proxy = self.proxy(server)
        client = self.client(proxy)
        ids = set()
        for number in range(3):
            client.ask(get(b"/%d" % number))
            entry = proxy.wait_for_log(lambda entry: entry["path"] == "/%d" % number)
            self.assertEqual(server.requests[number].head.value("x-request-id").decode(), entry["request_id"])
            ids.add(entry["request_id"])
        self.assertEqual(len(ids), 3)


class Identity(Rewriting):
    NAMES = [b"X-WEBAUTH-USER", b"X-WEBAUTH-EMAIL", b"X-WEBAUTH-FULLNAME", b"X-Forwarded-User", b"X-Forwarded-Email",
             b"X-Forwarded-Groups", b"X-Forwarded-Preferred-Username", b"X-Forwarded-Access-Token", b"Remote-User",
             b"Remote-Name", b"Remote-Email", b"Remote-Groups", b"X-Remote-User", b"X-Remote-Group", b"X-Auth-Request-User",
             b"X-Auth-Request-Email", b"X-Auth-Request-Groups"]

    def spellings(self, name):
        return {name, name.lower(), name.upper(), name.replace(b"-", b"_"), name.replace(b"-", b"_", 1),
                name.replace(b"-", b"_").lower()}

    def check(self, **options):
        for name in self.NAMES:
            fields = [spelling + b": root" for spelling in sorted(self.spellings(name))]
            with self.subTest(name):
                got = self.forwarded(get(b"/", b"X-First: 1", *fields, b"X-Last: 1"), **options)
                self.assertEqual(got.head_without_ours, get(b"/", b"X-First: 1", b"X-Last: 1"))

    def test_never_passed_on(self):
        self.check()

    def test_not_even_from_a_trusted_network(self):
        self.check(trusted=["127.0.0.0/8"])

    def test_names_that_only_look_alike_pass(self):
        request = get(b"/", b"X-Remotely: 1", b"X-User-Agent-Hint: 1", b"User: 1", b"X-Forwarded: 1")
        self.assertEqual(self.forwarded(request).head_without_ours, request)


class DumbHttp(ProxyTest):
    ANSWER = ok(b"abc", b"Cache-Control: public, max-age=31536000", b"Expires: 1731536000")

    def cache_control(self, path, tables):
        reply = self.client(self.proxy(self.server(always(self.ANSWER)), tables=tables)).ask(get(path))
        return reply.head.values("cache-control"), reply.head.values("expires")

    def test_objects_of_gogs_may_be_stored_by_nobody(self):
        path = b"/team/app.git/objects/pack/pack-0123456789012345678901234567890123456789.pack"
        for tables in ('kind = "gogs"\nprobe = "off"\n', "repair_headers = true\n"):
            self.assertEqual(self.cache_control(path, tables), ([b"private, no-store"], []))
        self.assertEqual(self.cache_control(path, ""), ([b"public, max-age=31536000"], [b"1731536000"]))

    def test_pages_are_left_alone(self):
        self.assertEqual(self.cache_control(b"/team/app", "repair_headers = true\n"),
                         ([b"public, max-age=31536000"], [b"1731536000"]))


if __name__ == "__main__":
    main()
