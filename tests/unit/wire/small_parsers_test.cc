// pkt-lines, URIs, field rules, the head writer.
#include <doctest/doctest.h>

#include <array>
#include <string>

#include "wire/field_rules.h"
#include "wire/http_write.h"
#include "wire/pkt_line.h"
#include "wire/uri.h"

using namespace breakwater::wire;

TEST_CASE("pkt-lines") {
  CHECK(read_pkt_line("0000").kind == PktLine::Kind::flush);
  CHECK(read_pkt_line("0001").kind == PktLine::Kind::delimiter);
  CHECK(read_pkt_line("0002").kind == PktLine::Kind::response_end);
  CHECK(read_pkt_line("0003").kind == PktLine::Kind::malformed);
  CHECK(read_pkt_line("00").kind == PktLine::Kind::incomplete);
  CHECK(read_pkt_line("0009hell").kind == PktLine::Kind::incomplete);
  CHECK(read_pkt_line("fff1").kind == PktLine::Kind::malformed);
  CHECK(read_pkt_line("00g0").kind == PktLine::Kind::malformed);
  const PktLine line = read_pkt_line("0009hello0000");
  CHECK(line.kind == PktLine::Kind::data);
  CHECK(line.payload == "hello");
  CHECK(line.bytes == 9);
  std::array<char, 16> out;
  CHECK(write_pkt_line("hello", out) == 9);
  CHECK(std::string(out.data(), 9) == "0009hello");
  CHECK(write_pkt_line("hello world!!", out) == 0);
}

TEST_CASE("URI pieces") {
  CHECK(split_query("/a?b?c").path == "/a");
  CHECK(split_query("/a?b?c").query == "b?c");
  CHECK(query_value("a=1&b=2&b=3", "b") == "2");
  CHECK(query_value("a&b", "b") == "");
  CHECK_FALSE(query_value("ab=1", "a"));
  std::array<char, 8> out;
  CHECK(percent_decode("a%2fb", out) == "a/b");
  CHECK_FALSE(percent_decode("a%2", out));
  CHECK_FALSE(percent_decode("a%zz", out));
  CHECK_FALSE(percent_decode("a%00", out));
  CHECK_FALSE(percent_decode("123456789", out));
  for (const char* good : {"a", "a:1", "127.0.0.1:80", "[::1]", "[::1]:80", "a:"})
    CHECK(is_valid_authority(good));
  for (const char* bad : {"", ":80", "a b", "a/b", "u@a", "a:b", "a:123456", "[::1", "::1", "a\"b", "[]"}) {
    CHECK_FALSE(is_valid_authority(bad));
  }
}

TEST_CASE("an authority with half an escape, or with brackets around no address, is none") {
  for (const char* good :
       {"a%2fb", "a%2F%20:80", "[::]", "[::1]:80", "[2001:db8::7]", "[::ffff:127.0.0.1]"}) {
    CAPTURE(good);
    CHECK(is_valid_authority(good));
  }
  for (const char* bad :
       {"git.exa%ple", "a%", "a%2", "a%2:80", "[12.3]", "[::1::2]", "[abc]", "[127.0.0.1]",
        "[1:2:3:4:5:6:7:8:9]", "[::1%25eth0]", "[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]"}) {
    CAPTURE(bad);
    CHECK_FALSE(is_valid_authority(bad));
  }
}

TEST_CASE("secrets in a query do not reach a log") {
  std::array<char, 128> out;
  CHECK(redact_target("/a?b=1&private_token=abc&c=2", out) == "/a?b=1&private_token=***&c=2");
  CHECK(redact_target("/a?TOKEN=abc", out) == "/a?TOKEN=***");
  CHECK(redact_target("/a?t%6fken=abc", out) == "/a?t%6fken=***");
  CHECK(redact_target("/a?token", out) == "/a?token");
  CHECK(redact_target("http://u:p@h/a", out) == "http://***@h/a");
  CHECK(redact_target("http://u:p@ss/w@rd@h/a", out) == "http://***@h/a");  // unescaped, as people write them
  std::array<char, 4> small;
  CHECK(redact_target("/abcdef", small) == "/abc");
}

TEST_CASE("field rules fold case and underscores") {
  for (const char* name :
       {"X-WEBAUTH-USER", "x_webauth_user", "Remote-User", "REMOTE_USER", "X-Forwarded-User",
        "X-Forwarded_Email", "X-Remote-Groups", "X-Auth-Request-User"}) {
    CHECK(is_identity(name));
  }
  for (const char* name : {"User-Agent", "Authorization", "X-Forwarded-For", "X-Users"})
    CHECK_FALSE(is_identity(name));
  CHECK(is_forwarding("x_forwarded_for"));
  CHECK(is_forwarding("Forwarded"));
  CHECK(is_forwarding("X-Real-IP"));
  CHECK(is_hop_by_hop("keep-alive"));
  CHECK(is_ambiguous_spelling("Content_Length"));
  CHECK_FALSE(is_ambiguous_spelling("Content-Length"));
  CHECK_FALSE(is_ambiguous_spelling("my_field"));
  CHECK(is_forbidden_in_trailer("Content-Encoding"));
  CHECK_FALSE(is_forbidden_in_trailer("X-Checksum"));
}

TEST_CASE("the head writer never passes the end of its buffer") {
  std::array<char, 20> out;
  HeadWriter writer(out);
  writer.text("HTTP/1.1 200 OK\r\n");
  CHECK_FALSE(writer.overflowed());
  writer.field("A", "b");
  CHECK(writer.overflowed());
  CHECK(writer.bytes() <= out.size());
}
