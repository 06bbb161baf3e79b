// What a head becomes on its way: exact bytes.
#include "proxy/head_rewrite.h"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>

using namespace breakwater;
using namespace breakwater::proxy;

namespace {

std::string upstream(const std::string& head, bool trusted = false) {
  wire::RequestHead request;
  REQUIRE(wire::parse_request(head, {}, request) == wire::Fault::none);
  const UpstreamFacts facts{"192.0.2.7", "http", "id1", "server:3000", trusted};
  std::array<char, 4096> out;
  return {out.data(), write_upstream_head(request, facts, out)};
}

std::string downstream(const std::string& head, const DownstreamFacts& facts) {
  wire::ResponseHead response;
  REQUIRE(wire::parse_response(head, {}, facts.request_method, response) == wire::Fault::none);
  std::array<char, 4096> out;
  return {out.data(), write_downstream_head(response, facts, out)};
}

const std::string added =
    "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: h\r\nX-Request-Id: "
    "id1\r\n\r\n";

}  // namespace

TEST_CASE("order, case and bytes of what is not ours stay") {
  CHECK(upstream("GET /A%2fb?x=%20 HTTP/1.1\r\nHost: h\r\naCCept: */*\r\nGit-Protocol: "
                 "version=2\r\nAuthorization: Basic eDp5\r\n\r\n") ==
        "GET /A%2fb?x=%20 HTTP/1.1\r\nHost: h\r\naCCept: */*\r\nGit-Protocol: version=2\r\nAuthorization: "
        "Basic eDp5\r\n" +
            added);
}

TEST_CASE("hop-by-hop, nominated, identity and forwarding fields do not pass from a stranger") {
  CHECK(
      upstream(
          "GET / HTTP/1.1\r\nHost: h\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nKeep-Alive: 5\r\nTE: "
          "trailers\r\n"
          "Proxy: evil\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\nX-WEBAUTH-USER: root\r\nRemote_User: root\r\n"
          "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\nX_Forwarded_Host: evil\r\nForwarded: "
          "for=1\r\n"
          "X-Real-IP: 1.1.1.1\r\nX-Request-Id: theirs\r\n\r\n") == "GET / HTTP/1.1\r\nHost: h\r\n" + added);
}

TEST_CASE("a Connection field can't nominate away what the request means") {
  CHECK(upstream("GET / HTTP/1.1\r\nHost: h\r\nConnection: host, authorization, cookie, x-forwarded-for\r\n"
                 "Authorization: Basic eDp5\r\nCookie: a=b\r\n\r\n") ==
        "GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic eDp5\r\nCookie: a=b\r\n" + added);
}

TEST_CASE("a trusted peer's word about the client is kept, and we add ourselves") {
  CHECK(upstream("GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 1.1.1.1\r\nX-Forwarded-Proto: https\r\n"
                 "X-Forwarded-Host: outer\r\nX-Request-Id: theirs\r\nX-Forwarded-User: root\r\n\r\n",
                 true) ==
        "GET / HTTP/1.1\r\nHost: h\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer\r\nX-Request-Id: "
        "theirs\r\n"
        "X-Forwarded-For: 1.1.1.1, 192.0.2.7\r\n\r\n");
}

TEST_CASE("framing, absolute targets, websocket, HTTP/1.0") {
  CHECK(upstream("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n") ==
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n" + added);
  CHECK(upstream("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n") ==
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n" + added);
  CHECK(upstream("GET http://h/x HTTP/1.1\r\nHost: other\r\n\r\n") ==
        "GET /x HTTP/1.1\r\nHost: h\r\n" + added);
  CHECK(upstream("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: "
                 "Upgrade\r\nSec-WebSocket-Key: k\r\n\r\n") ==
        "GET / HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: k\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
            added);
  CHECK(upstream("GET / HTTP/1.0\r\n\r\n") ==
        "GET / HTTP/1.1\r\nHost: server:3000\r\nX-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: "
        "http\r\nX-Request-Id: id1\r\n\r\n");
}

TEST_CASE("a length goes on as every parser reads it") {
  for (const auto& [came, goes] : {std::pair("0005", "5"), std::pair("05", "5"), std::pair("000", "0"),
                                   std::pair("0", "0"), std::pair("50", "50")}) {
    CHECK(upstream("POST / HTTP/1.1\r\nHost: h\r\ncontent-length: " + std::string(came) + "\r\n\r\n") ==
          "POST / HTTP/1.1\r\nHost: h\r\ncontent-length: " + std::string(goes) + "\r\n" + added);
  }
}

TEST_CASE("answers") {
  const wire::BodyFraming none{}, length{wire::BodyKind::length, 5}, chunked{wire::BodyKind::chunked, 0};
  const wire::BodyFraming until_close{wire::BodyKind::until_close, 0};
  const auto facts = [](wire::BodyFraming framing) {
    DownstreamFacts made;
    made.framing = framing;
    return made;
  };
  CHECK(
      downstream(
          "HTTP/1.1 200 Fine\r\nETag: x\r\nConnection: close, X-Hop\r\nX-Hop: 1\r\nContent-Length: 5\r\n\r\n",
          facts(length)) == "HTTP/1.1 200 Fine\r\nETag: x\r\nContent-Length: 5\r\n\r\n");
  CHECK(downstream("HTTP/1.0 200 OK\r\n\r\n", facts(chunked)) ==
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  DownstreamFacts old = facts(until_close);
  old.client_is_1_0 = true;
  old.keep_alive = false;
  CHECK(downstream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", old) ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
  old.keep_alive = true;
  old.framing = length;
  CHECK(downstream("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", old) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  DownstreamFacts head = facts(none);
  head.request_method = wire::Method::head;
  CHECK(downstream("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", head) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
  CHECK(downstream("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", facts(none)) ==
        "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_CASE("dumb HTTP's answers of Gogs and Gitea are mended") {
  const std::string head =
      "HTTP/1.1 200 OK\r\nCache-Control: public, max-age=31536000\r\nDate: 1700000000\r\nExpires: "
      "1731536000\r\n"
      "Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: 3\r\n\r\n";
  DownstreamFacts facts;
  facts.framing = {wire::BodyKind::length, 3};
  CHECK(downstream(head, facts) == head);
  facts.repairs_dumb_http = true;
  CHECK(downstream(head, facts) ==
        "HTTP/1.1 200 OK\r\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT\r\nContent-Length: 3\r\n"
        "Cache-Control: private, no-store\r\n\r\n");
}

TEST_CASE("a cookie of ours is taken out of what a server gets, and other bytes stay") {
  const auto passed = [](const std::string& fields, std::string_view own) {
    const std::string begin = "GET / HTTP/1.1\r\nHost: h\r\n";
    const std::string came = begin + fields + "\r\n";
    wire::RequestHead request;
    REQUIRE(wire::parse_request(came, {}, request) == wire::Fault::none);
    UpstreamFacts facts{"192.0.2.7", "http", "id1", "server:3000", false};
    facts.own_cookie = own;
    std::array<char, 4096> out;
    const std::string head(out.data(), write_upstream_head(request, facts, out));
    REQUIRE(head.starts_with(begin));
    REQUIRE(head.ends_with(added));
    return head.substr(begin.size(), head.size() - begin.size() - added.size());
  };
  CHECK(passed("Cookie: id=1\r\n", "id").empty());
  CHECK(passed("cOOkie: id=1; b=2\r\n", "id") == "cOOkie: b=2\r\n");
  CHECK(passed("Cookie: a=1; id=1; b=2; id=3\r\n", "id") == "Cookie: a=1; b=2\r\n");
  CHECK(passed("Cookie: a=1;b=2 ;\tc\r\nCookie: id\r\n", "id") == "Cookie: a=1;b=2 ;\tc\r\nCookie: id\r\n");
  CHECK(passed("Cookie: ID=1; idx=2\r\n", "id") == "Cookie: ID=1; idx=2\r\n");
  CHECK(passed("Cookie: id=1; b=2\r\nCookie: id=4\r\n", "") == "Cookie: id=1; b=2\r\nCookie: id=4\r\n");
  CHECK(passed("Cookie:\r\n", "id") == "Cookie: \r\n");
  CHECK(passed("X-Cookie: id=1\r\n", "id") == "X-Cookie: id=1\r\n");
}

TEST_CASE("a cookie of ours in an answer: one, and no shared cache") {
  DownstreamFacts facts;
  facts.framing = {wire::BodyKind::length, 3};
  facts.cookie.name = "id";
  const std::string tail = "Content-Length: 3\r\n";
  CHECK(downstream("HTTP/1.1 200 OK\r\n" + tail + "\r\n", facts) == "HTTP/1.1 200 OK\r\n" + tail + "\r\n");
  facts.cookie.value = "xyz";
  CHECK(downstream("HTTP/1.1 200 OK\r\nSet-Cookie: id=1\r\nset-cookie: a=1\r\n" + tail + "\r\n", facts) ==
        "HTTP/1.1 200 OK\r\nset-cookie: a=1\r\n" + tail +
            "Set-Cookie: id=xyz; Path=/; HttpOnly; SameSite=Lax\r\nCache-Control: private\r\n\r\n");
  facts.cookie.secure = true;
  facts.cookie.max_age_s = 86400;
  CHECK(downstream("HTTP/1.1 200 OK\r\nCache-Control: x, No-Store\r\n" + tail + "\r\n", facts) ==
        "HTTP/1.1 200 OK\r\nCache-Control: x, No-Store\r\n" + tail +
            "Set-Cookie: id=xyz; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure\r\n\r\n");
}

TEST_CASE("a head that does not fit is not cut") {
  wire::RequestHead request;
  REQUIRE(wire::parse_request("GET / HTTP/1.1\r\nHost: h\r\n\r\n", {}, request) == wire::Fault::none);
  std::array<char, 40> out;
  CHECK(write_upstream_head(request, {"1.2.3.4", "http", "id", "s", false}, out) == 0);
}
