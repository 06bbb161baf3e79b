// Hellos of clients: what is asked for, what can be checked, and what is refused.
#include "wire/client_hello.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater::wire;

namespace {

std::string two(size_t value) {
  return {static_cast<char>(value >> 8), static_cast<char>(value)};
}
std::string after_two(const std::string& text) {
  return two(text.size()) + text;
}
std::string after_byte(const std::string& text) {
  return static_cast<char>(text.size()) + text;
}
std::string extension(uint16_t type, const std::string& value) {
  return two(type) + after_two(value);
}
std::string bytes(std::initializer_list<int> all) {
  std::string text;
  for (const int value : all) text += static_cast<char>(value);
  return text;
}

std::string server_name(const std::string& name) {
  return extension(0, after_two('\0' + after_two(name)));
}
const std::string p256_and_rsa = extension(13, after_two(bytes({4, 3, 8, 4})));
const std::string versions = extension(43, after_byte(bytes({0x1a, 0x1a, 3, 4, 3, 3})));
const std::string modern = bytes({0x0a, 0x0a, 0x13, 0x01, 0xc0, 0x2b, 0xc0, 0x2f});

std::string message(const std::string& extensions, const std::string& suites = modern,
                    const std::string& version = bytes({3, 3})) {
  const std::string body = version + std::string(32, 'r') + after_byte("") + after_two(suites) +
                           after_byte(bytes({0})) + (extensions.empty() ? "" : after_two(extensions));
  return bytes({1, 0}) + two(body.size()) + body;
}

std::string record(const std::string& payload) {
  return bytes({22, 3, 1}) + after_two(payload);
}

struct Read {
  HelloState state;
  HelloFault fault = HelloFault::none;
  ClientHello hello;
};

Read read(const std::string& text) {
  Read result;
  result.state = read_client_hello(text, result.hello, result.fault);
  return result;
}

HelloFault fault_of(const std::string& text) {
  const Read result = read(text);
  CHECK(result.state == HelloState::broken);
  return result.fault;
}

}  // namespace

TEST_CASE("client hello: name, versions, signatures and protocols") {
  const std::string protocols = extension(16, after_two(after_byte("h2") + after_byte("http/1.1")));
  const Read all =
      read(record(message(server_name("Git.Example.COM.") + p256_and_rsa + versions + protocols)));
  REQUIRE(all.state == HelloState::whole);
  CHECK(all.hello.name() == "git.example.com");
  CHECK(all.hello.offers_tls12);
  CHECK(all.hello.offers_tls13);
  CHECK(all.hello.newest_version == 0x0304);
  CHECK(all.hello.takes_p256);
  CHECK(!all.hello.takes_p384);
  CHECK(all.hello.takes_rsa);
  CHECK(all.hello.names_protocols);
  CHECK(all.hello.names_http11);

  const Read little = read(record(message("")));
  REQUIRE(little.state == HelloState::whole);
  CHECK(little.hello.name().empty());
  CHECK(little.hello.offers_tls12);
  CHECK(!little.hello.offers_tls13);
  CHECK(!little.hello.names_protocols);
  CHECK(little.hello.takes_rsa);

  const Read h2 = read(record(message(extension(16, after_two(after_byte("h2"))))));
  CHECK(h2.hello.names_protocols);
  CHECK(!h2.hello.names_http11);
}

TEST_CASE("client hello: what a client takes needs a suite as well as a signature, with TLS 1.2") {
  const std::string only_rsa = bytes({0xc0, 0x2f}), only_ecdsa = bytes({0xc0, 0x2b}),
                    neither = bytes({0x00, 0x2f});
  CHECK(!read(record(message(p256_and_rsa, only_rsa))).hello.takes_p256);
  CHECK(read(record(message(p256_and_rsa, only_rsa))).hello.takes_rsa);
  CHECK(read(record(message(p256_and_rsa, only_ecdsa))).hello.takes_p256);
  CHECK(!read(record(message(p256_and_rsa, only_ecdsa))).hello.takes_rsa);
  CHECK(!read(record(message(p256_and_rsa, neither))).hello.takes_rsa);
  CHECK(read(record(message(extension(13, after_two(bytes({5, 3})))))).hello.takes_p384);
}

TEST_CASE("client hello: old versions") {
  CHECK(!read(record(message("", modern, bytes({3, 2})))).hello.offers_tls12);
  // What the extension says counts, not the old place.
  const Read old = read(record(message(extension(43, after_byte(bytes({3, 2, 3, 1}))))));
  CHECK(!old.hello.offers_tls12);
  CHECK(!old.hello.offers_tls13);
  CHECK(old.hello.newest_version == 0x0302);
}

TEST_CASE("client hello: in parts and in pieces") {
  const std::string hello = message(server_name("git.example.com") + p256_and_rsa + versions);
  const std::string whole = record(hello);
  for (size_t part = 0; part < whole.size(); part++)
    CHECK(read(whole.substr(0, part)).state == HelloState::partial);
  std::string pieces;
  for (size_t at = 0; at < hello.size(); at += 11) pieces += record(hello.substr(at, 11));
  const Read cut = read(pieces);
  REQUIRE(cut.state == HelloState::whole);
  CHECK(cut.hello.name() == "git.example.com");
  pieces.clear();
  for (const char byte : hello) pieces += record(std::string(1, byte));
  CHECK(fault_of(pieces) == HelloFault::too_large);
}

TEST_CASE("client hello: what is none, and what is too large") {
  CHECK(read("").state == HelloState::partial);
  CHECK(fault_of("GET / HTTP/1.1\r\n") == HelloFault::plain_http);
  CHECK(fault_of("P") == HelloFault::plain_http);
  CHECK(fault_of("PRI * HTTP/2.0") == HelloFault::plain_http);
  CHECK(fault_of(bytes({0x80, 0x2e, 1, 3, 1})) == HelloFault::not_tls);  // SSL 2
  CHECK(fault_of(bytes({22, 2})) == HelloFault::not_tls);
  CHECK(fault_of("\n") == HelloFault::not_tls);
  CHECK(fault_of(bytes({22, 3, 1, 0, 0})) == HelloFault::malformed);
  CHECK(fault_of(bytes({22, 3, 1, 0x40, 1})) == HelloFault::malformed);
  CHECK(fault_of(record(bytes({2, 0, 0, 0}))) == HelloFault::malformed);
  CHECK(fault_of(record(message("")) + record("more")) == HelloFault::malformed);
  CHECK(fault_of(record(message("") + "more")) == HelloFault::malformed);
  CHECK(fault_of(record(message("")) + bytes({20, 3, 3, 0, 1, 1})) == HelloFault::malformed);
  CHECK(fault_of(record(bytes({1, 0, 0x50, 0}))) == HelloFault::too_large);
  CHECK(read(record(bytes({1, 0, 0x3f, 0xfc}))).state == HelloState::partial);
}

TEST_CASE("client hello: what is malformed") {
  CHECK(fault_of(record(message(server_name("a") + server_name("b")))) == HelloFault::malformed);
  CHECK(fault_of(record(message(server_name("a b")))) == HelloFault::malformed);
  CHECK(fault_of(record(message(server_name(std::string("a\0b", 3))))) == HelloFault::malformed);
  CHECK(fault_of(record(message(server_name("")))) == HelloFault::malformed);
  CHECK(fault_of(record(message(server_name(std::string(254, 'a'))))) == HelloFault::malformed);
  CHECK(read(record(message(server_name(std::string(253, 'a'))))).state == HelloState::whole);
  CHECK(fault_of(record(message(extension(13, bytes({0, 3, 4, 3, 8}))))) == HelloFault::malformed);
  CHECK(fault_of(record(message(extension(43, after_byte(""))))) == HelloFault::malformed);
  CHECK(fault_of(record(message(extension(16, after_two(after_byte("")))))) == HelloFault::malformed);
  CHECK(fault_of(record(message("", ""))) == HelloFault::malformed);
  CHECK(fault_of(record(message("", "odd"))) == HelloFault::malformed);
  CHECK(fault_of(record(message(two(0) + bytes({0, 9, 1})))) == HelloFault::malformed);
  // No compression is what everybody must offer.
  std::string compressed = message("");
  compressed.back() = 1;
  CHECK(fault_of(record(compressed)) == HelloFault::malformed);
}
