// What a connection takes of the library's memory, in each of its states: the sum in docs/tls.md is from
// here.
#include <doctest/doctest.h>

#include <string>

#include "tls/engine.h"
#include "tls/library.h"
#include "unit/tls/world.h"

using namespace breakwater::tls;
using namespace breakwater::tls::testing;

TEST_CASE("tls memory: bounds of a connection's") {
  // Bytes; half more than was measured with the library of Debian 12, for others of its versions.
  constexpr int64_t idle_max = 6 * 1024;
  constexpr int64_t in_handshake_max = 15 * 1024;
  CHECK(sizeof(Engine) <= 512);
  CHECK(sizeof(Records) <= 2304);
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto clients = client_context("ca.pem", version);
    const auto servers = server_context_with(TicketKeys::random(), {"git-ecdsa", "git-rsa"});
    const int64_t before = library_bytes();
    Engine server(servers);
    CHECK(library_bytes() == before);  // nothing before a hello is there
    {
      Engine client(clients, "git.example.com");
      std::string flight(8192, '\0'), answer(16 * 1024, '\0');
      std::span<const char> nothing;
      std::span<char> out(flight);
      client.handshake(nothing, out);
      const int64_t client_alone = library_bytes();
      std::span<const char> in(flight.data(), flight.size() - out.size());
      std::span<char> back(answer);
      // Half of it: still nothing.
      std::span<const char> half = in.first(in.size() / 2);
      server.handshake(half, back);
      CHECK(library_bytes() == client_alone);
      server.handshake(in, back);
      MESSAGE("in the handshake: ", library_bytes() - client_alone);
      CHECK(library_bytes() - client_alone <= in_handshake_max);
    }
    const auto idle_of = [&](auto& engine_of_interest) {
      const int64_t together = library_bytes();
      engine_of_interest.reset();
      return together - library_bytes();
    };
    auto client = std::make_unique<Engine>(clients, "git.example.com");
    auto served = std::make_unique<Engine>(servers);
    Wire wire(*client, *served);
    wire.shake_hands();
    REQUIRE(wire.both_done());
    CHECK(wire.to_server(std::string(100'000, 'x')).size() == 100'000);
    CHECK(wire.to_client(std::string(100'000, 'x')).size() == 100'000);
    const int64_t idle_server = idle_of(served);
    const int64_t idle_client = idle_of(client);
    MESSAGE("idle: ", idle_server, " as a server, ", idle_client, " as a client");
    CHECK(idle_server == 0);  // there are only Records
    CHECK(idle_client <= idle_max);
    MESSAGE("an engine: ", sizeof(Engine));
  }
}
