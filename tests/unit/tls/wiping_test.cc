// Secrets that are gone are gone from memory: the whole of what this process may write is searched for them.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tls/engine.h"
#include "tls/library.h"
#include "unit/tls/world.h"

using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

// A secret as this test keeps it, so that the search does not find the test's own copy.
class Disguised {
 public:
  static constexpr uint8_t mask = 0x5a;
  explicit Disguised(std::span<const uint8_t> secret) {
    for (const uint8_t byte : secret) bytes_.push_back(byte ^ mask);
  }
  bool is_at(const uint8_t* place) const {
    for (size_t at = 0; at < bytes_.size(); at++)
      if ((place[at] ^ mask) != bytes_[at]) return false;
    return true;
  }
  size_t size() const { return bytes_.size(); }

 private:
  std::vector<uint8_t> bytes_;
};

// A sanitizer maps far more than there is memory, and minds that somebody reads it.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// How often it lies in what this process may read and write. Its pages are read in place, a copy would find
// itself.
size_t copies_of(const Disguised& secret) {
  size_t found = 0;
  std::ifstream maps("/proc/self/maps");
  std::string line;
  while (std::getline(maps, line)) {
    unsigned long begin = 0, end = 0;
    char rights[5] = {};
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, rights) != 3) continue;
    if (std::strncmp(rights, "rw", 2) != 0 || line.find("[v") != std::string::npos) continue;
    const auto* const first = reinterpret_cast<const uint8_t*>(begin);
    const auto* const last = reinterpret_cast<const uint8_t*>(end) - secret.size();
    for (const uint8_t* at = first; at <= last; at++) found += secret.is_at(at) ? 1 : 0;
  }
  return found;
}

std::span<const uint8_t> first_half_of(const TrafficKey& key) {
  return {key.key.data(), 16};
}

}  // namespace

TEST_CASE("tls wiping: keys of a connection are gone with it" * doctest::skip(sanitized)) {
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto clients = client_context("ca.pem", version);
    const auto servers = server_context_with(TicketKeys::random());
    std::optional<Disguised> sending, receiving;
    {
      Engine client(clients, "git.example.com"), server(servers);
      Wire wire(client, server);
      wire.shake_hands();
      REQUIRE(wire.both_done());
      CHECK(wire.to_client("hello") == "hello");
      const TrafficKey& out = server.records()->sending.traffic_key();
      const TrafficKey& in = server.records()->receiving.traffic_key();
      // Both sides have the same keys, the other way round.
      REQUIRE(out.key_bytes == 16);
      REQUIRE(in.key_bytes == 16);
      CHECK(std::memcmp(out.key.data(), wolfSSL_GetServerWriteKey(client.library()), 16) == 0);
      CHECK(std::memcmp(in.key.data(), wolfSSL_GetClientWriteKey(client.library()), 16) == 0);
      CHECK(out.key != in.key);
      sending.emplace(first_half_of(out));
      receiving.emplace(first_half_of(in));
      // The search finds what is there.
      CHECK(copies_of(*sending) > 0);
      CHECK(copies_of(*receiving) > 0);
    }
    CHECK(copies_of(*sending) == 0);
    CHECK(copies_of(*receiving) == 0);
  }
}

TEST_CASE("tls wiping: ticket keys and private keys are gone with who had them" * doctest::skip(sanitized)) {
  std::optional<Disguised> ticket_key;
  {
    std::string line = "AAECAwQFBgcICQoLDA0ODy/7N4sQMzqY5cZJ4Q1jT0b0yWf3bq9h2r8sVt6uXm7K\n";
    const auto keys = TicketKeys::from_text(line);
    REQUIRE(keys.has_value());
    const auto context = server_context_with(*keys);
    const std::array<uint8_t, 16> beginning = {0x2f, 0xfb, 0x37, 0x8b, 0x10, 0x33, 0x3a, 0x98,
                                               0xe5, 0xc6, 0x49, 0xe1, 0x0d, 0x63, 0x4f, 0x46};
    ticket_key.emplace(std::span<const uint8_t>(beginning));
    explicit_bzero(const_cast<uint8_t*>(beginning.data()), beginning.size());
    CHECK(copies_of(*ticket_key) > 0);
    const auto clients = client_context();
    Engine client(clients, "git.example.com"), server(context);
    Wire wire(client, server);
    wire.shake_hands();
    CHECK(wire.both_done());
  }
  CHECK(copies_of(*ticket_key) == 0);

  // The middle of a private key, as it stands in its file.
  std::optional<Disguised> private_key;
  {
    Pair made = pair("wildcard");
    const std::string_view text = made.key.view();
    const size_t at = text.find('\n') + 60;
    private_key.emplace(std::span<const uint8_t>(reinterpret_cast<const uint8_t*>(text.data()) + at, 24));
    CHECK(copies_of(*private_key) > 0);
    std::vector<Pair> all;
    all.push_back(std::move(made));
    const auto context =
        server_context({.pairs = std::move(all), .client_authorities = {}, .tickets = nullptr});
    CHECK(copies_of(*private_key) == 0);  // the library has it in another form
  }
}
