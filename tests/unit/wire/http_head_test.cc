// Heads: what is taken, what is refused and why, and that a head may come in any pieces.
#include "wire/http_head.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace breakwater::wire;

namespace {

const HeadLimits limits{16384, 8192};

// What becomes of `bytes` as a request: the scanner's fault, or the parser's.
// The request's views point into `kept`, so that a test may pass a temporary.
Fault judge(const std::string& given, RequestHead& request) {
  static std::string kept;
  kept = given;
  const std::string& bytes = kept;
  HeadScanner scanner(limits);
  const HeadScanner::State state = scanner.scan(bytes);
  if (state == HeadScanner::State::refused) return scanner.fault();
  REQUIRE(state == HeadScanner::State::complete);
  const std::string_view head =
      std::string_view(bytes).substr(scanner.start(), scanner.end() - scanner.start());
  return parse_request(head, limits, request);
}

Fault judge(const std::string& bytes) {
  RequestHead request;
  return judge(bytes, request);
}

Fault judge_response(const std::string& head, Method method, ResponseHead& response) {
  return parse_response(head, limits, method, response);
}

const std::string host = "Host: git.example\r\n";

}  // namespace

TEST_CASE("a plain request") {
  RequestHead request;
  const std::string bytes =
      "GET /a/b.git/info/refs?service=git-upload-pack HTTP/1.1\r\nHost: git.example:80\r\n"
      "User-Agent: git/2.39\r\nX-Empty:\r\nGit-Protocol:  version=2 \r\n\r\nrest";
  REQUIRE(judge(bytes, request) == Fault::none);
  CHECK(request.method == Method::get);
  CHECK(request.path_query == "/a/b.git/info/refs?service=git-upload-pack");
  CHECK(request.authority == "git.example:80");
  CHECK(request.fields.size() == 4);
  CHECK(request.fields.find("git-protocol") == "version=2");
  CHECK(request.fields.find("x-empty").empty());
  CHECK(request.fields.find("x-empty").data() != nullptr);
  CHECK(request.fields.find("absent").data() == nullptr);
  CHECK(request.keep_alive);
  CHECK(request.body.kind == BodyKind::none);
}

TEST_CASE("every refusal has its fault") {
  struct Case {
    std::string bytes;
    Fault fault;
  };
  const std::string get = "GET / HTTP/1.1\r\n";
  const std::string post = "POST / HTTP/1.1\r\n" + host;
  const std::vector<Case> cases{
      {std::string("\x16\x03\x01\x02\x00", 5), Fault::not_http},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", Fault::not_http},
      {"GET / HTTP/1.1\nHost: a\n\n", Fault::bare_line_end},
      {get + "Host: a\rX: b\r\n\r\n", Fault::bare_line_end},
      {get + "Host: a\r\n\n", Fault::bare_line_end},
      {get + std::string("Host: a\0b\r\n\r\n", 13), Fault::control_byte},
      {"GET /\x01 HTTP/1.1\r\n" + host + "\r\n", Fault::control_byte},
      {"\r\n\r\n" + get + host + "\r\n", Fault::bad_start_line},
      {"GET /\r\n" + host + "\r\n", Fault::not_http},
      {"SSH-2.0-OpenSSH_9.2\r\n", Fault::not_http},
      {"GET  / HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET / x HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"G@T / HTTP/1.1\r\n" + host + "\r\n", Fault::bad_method},
      {"CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n", Fault::method_unsupported},
      {"TRACE / HTTP/1.1\r\n" + host + "\r\n", Fault::method_unsupported},
      {"GET / HTTP/1.2\r\n" + host + "\r\n", Fault::bad_version},
      {"GET / HTTP/2.0\r\n" + host + "\r\n", Fault::bad_version},
      {"GET / HTTP/01.1\r\n" + host + "\r\n", Fault::bad_version},
      {"GET / http/1.1\r\n" + host + "\r\n", Fault::not_http},
      {"GET a HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET * HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET /a#b HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET http://u@h/ HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET ftp://h/ HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {"GET /\xc3\xa4 HTTP/1.1\r\n" + host + "\r\n", Fault::bad_target},
      {get + "Host : a\r\n\r\n", Fault::bad_field_name},
      {get + host + ": a\r\n\r\n", Fault::bad_field_name},
      {get + host + "nocolon\r\n\r\n", Fault::bad_field_name},
      {get + host + "a b: c\r\n\r\n", Fault::bad_field_name},
      {get + host + "X: a\r\n b\r\n\r\n", Fault::folded_line},
      {get + host + "X: a\r\n\tb\r\n\r\n", Fault::folded_line},
      {get + host + "Content_Length: 5\r\n\r\n", Fault::ambiguous_field_name},
      {get + host + "transfer_encoding: chunked\r\n\r\n", Fault::ambiguous_field_name},
      {get + "X: a\r\n\r\n", Fault::host_missing},
      {get + host + host + "\r\n", Fault::host_repeated},
      {get + "Host:\r\n\r\n", Fault::bad_host},
      {get + "Host: a/b\r\n\r\n", Fault::bad_host},
      {get + "Host: a, b\r\n\r\n", Fault::bad_host},
      {get + "Host: u@a\r\n\r\n", Fault::bad_host},
      {post + "Content-Length: +5\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: -5\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: 0x5\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: 5, 5\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: 5 5\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length:\r\n\r\n", Fault::bad_content_length},
      // It was called a bad first line, for only llhttp refused it.
      {post + "Content-Length: 5\t\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: 99999999999999999999\r\n\r\n", Fault::bad_content_length},
      {post + "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", Fault::bad_content_length},
      {post + "Transfer-Encoding: gzip, chunked\r\n\r\n", Fault::bad_transfer_encoding},
      {post + "Transfer-Encoding: chunked, chunked\r\n\r\n", Fault::bad_transfer_encoding},
      {post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       Fault::bad_transfer_encoding},
      {post + "Transfer-Encoding: \x0b"
              "chunked\r\n\r\n",
       Fault::control_byte},
      {post + "Transfer-Encoding: \"chunked\"\r\n\r\n", Fault::bad_transfer_encoding},
      {post + "Transfer-Encoding: gzip\r\n\r\n", Fault::transfer_encoding_unsupported},
      {post + "Transfer-Encoding: identity\r\n\r\n", Fault::transfer_encoding_unsupported},
      {post + "Transfer-Encoding: xchunked\r\n\r\n", Fault::transfer_encoding_unsupported},
      {post + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", Fault::length_and_encoding},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", Fault::bad_transfer_encoding},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\n" + host + "\r\n", Fault::target_too_long},
      {"GET /" + std::string(8192, 'a') + " HTTP/1.1\r\n" + host + "\r\n", Fault::target_too_long},
      {get + host + "X: " + std::string(17000, 'a') + "\r\n\r\n", Fault::head_too_large},
  };
  for (const Case& one : cases) {
    CAPTURE(one.bytes.substr(0, 80));
    const Fault fault = judge(one.bytes);
    CHECK(describe(fault) == describe(one.fault));
  }
}

TEST_CASE("a gzip coding before chunked is a coding that we do not take, and not malformed") {
  // Two codings in one field are refused as malformed only where chunked stands twice.
  CHECK(status_of(judge("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n")) == 501);
  CHECK(status_of(judge("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked, chunked\r\n\r\n")) ==
        400);
}

TEST_CASE("more fields than we take") {
  std::string bytes = "GET / HTTP/1.1\r\n" + host;
  for (size_t count = 0; count < fields_max; count++) bytes += "A: b\r\n";
  CHECK(judge(bytes + "\r\n") == Fault::too_many_fields);
}

TEST_CASE("a head is judged alike in whatever pieces it comes") {
  const std::vector<std::string> heads{
      "GET /x HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n", "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n",
      "GET /x HTTP/1.1\r\nHost: a\n\r\n", "GET /x HTTP/1.1\r\nHost: a\rb\r\n\r\n"};
  for (const std::string& head : heads) {
    HeadScanner whole(limits);
    const HeadScanner::State wanted = whole.scan(head);
    HeadScanner pieces(limits);
    HeadScanner::State got = HeadScanner::State::incomplete;
    for (size_t bytes = 1; bytes <= head.size() && got == HeadScanner::State::incomplete; bytes++) {
      got = pieces.scan(std::string_view(head).substr(0, bytes));
    }
    CHECK(got == wanted);
    CHECK(pieces.fault() == whole.fault());
    if (wanted == HeadScanner::State::complete) {
      CHECK(pieces.start() == whole.start());
      CHECK(pieces.end() == whole.end());
    }
  }
}

TEST_CASE("what the fields of a request mean") {
  RequestHead request;
  REQUIRE(judge("GET http://other:81/x?y HTTP/1.1\r\n" + host + "\r\n", request) == Fault::none);
  CHECK(request.authority == "other:81");
  CHECK(request.path_query == "/x?y");
  REQUIRE(judge("GET http://other HTTP/1.1\r\n" + host + "\r\n", request) == Fault::none);
  CHECK(request.path_query == "/");
  REQUIRE(judge("OPTIONS * HTTP/1.1\r\n" + host + "\r\n", request) == Fault::none);
  REQUIRE(judge("POST / HTTP/1.1\r\n" + host + "Content-Length: 12\r\nExpect: 100-continue\r\n\r\n",
                request) == Fault::none);
  CHECK(request.body.kind == BodyKind::length);
  CHECK(request.body.length == 12);
  CHECK(request.expects_continue);
  REQUIRE(judge("POST / HTTP/1.1\r\n" + host + "Transfer-Encoding: Chunked\r\nConnection: x, Close\r\n\r\n",
                request) == Fault::none);
  CHECK(request.body.kind == BodyKind::chunked);
  CHECK_FALSE(request.keep_alive);
  REQUIRE(judge("GET / HTTP/1.0\r\n\r\n", request) == Fault::none);
  CHECK_FALSE(request.keep_alive);
  CHECK(request.authority.empty());
  REQUIRE(judge("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", request) == Fault::none);
  CHECK(request.keep_alive);
  REQUIRE(judge("GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n", request) ==
          Fault::none);
  CHECK(request.upgrade_websocket);
  REQUIRE(judge("GET / HTTP/1.1\r\n" + host + "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", request) ==
          Fault::none);
  CHECK_FALSE(request.upgrade_websocket);
  REQUIRE(judge("PROPFIND /x HTTP/1.1\r\n" + host + "\r\n", request) == Fault::none);
}

TEST_CASE("how an answer's body is framed (RFC 9112 §6.3)") {
  ResponseHead response;
  const auto framing = [&](const std::string& head, Method method) {
    REQUIRE(judge_response(head, method, response) == Fault::none);
    return response.body.kind;
  };
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::get) == BodyKind::length);
  CHECK(response.keep_alive);
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Method::head) == BodyKind::none);
  CHECK(framing("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", Method::get) == BodyKind::none);
  CHECK(framing("HTTP/1.1 204 No Content\r\n\r\n", Method::get) == BodyKind::none);
  CHECK(framing("HTTP/1.1 100 Continue\r\n\r\n", Method::post) == BodyKind::none);
  CHECK(framing("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n", Method::get) == BodyKind::chunked);
  CHECK(framing("HTTP/1.1 200 OK\r\n\r\n", Method::get) == BodyKind::until_close);
  CHECK_FALSE(response.keep_alive);
  CHECK(framing("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", Method::get) == BodyKind::length);
  CHECK_FALSE(response.keep_alive);
  CHECK(framing("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", Method::get) ==
        BodyKind::length);
  CHECK_FALSE(response.keep_alive);
}

TEST_CASE("answers that are refused") {
  ResponseHead response;
  for (const std::string head :
       {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
        "HTTP/1.1 600 x\r\n\r\n", "HTTP/1.1 20 x\r\n\r\n", "HTTP/1.1 2000 x\r\n\r\n", "HTTP/2 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    CAPTURE(head);
    CHECK(judge_response(head, Method::get, response) != Fault::none);
  }
}

TEST_CASE("every fault has a sentence, and a status that is an error") {
  for (int value = 1; value <= static_cast<int>(Fault::disputed); value++) {
    const Fault fault = static_cast<Fault>(value);
    CHECK(describe(fault).size() > 10);
    CHECK(describe(fault) != describe(Fault::none));
    CHECK(status_of(fault) >= 400);
  }
}

TEST_CASE("letters are the same whatever their case, and nothing else is") {
  for (size_t length = 1; length < 20; length++) {
    for (size_t at = 0; at < length; at++) {
      for (int first = 0; first < 256; first++) {
        for (int second = 0; second < 256; second++) {
          std::string a(length, 'x'), b(length, 'X');
          a[at] = static_cast<char>(first);
          b[at] = static_cast<char>(second);
          const auto lower = [](int byte) { return byte >= 'A' && byte <= 'Z' ? byte + 32 : byte; };
          if (equals_ignoring_case(a, b) != (lower(first) == lower(second))) FAIL(first, " and ", second);
        }
      }
    }
  }
  CHECK(equals_ignoring_case("", ""));
  CHECK_FALSE(equals_ignoring_case("a", "ab"));
}
