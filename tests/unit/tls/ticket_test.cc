// Session tickets: a client comes back, to another core, another node, after a rotation; and what must not
// let it in.
#include <doctest/doctest.h>

#include <string>

#include "tls/engine.h"
#include "tls/ticket_keys.h"
#include "unit/tls/world.h"

using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

constexpr std::string_view git_name = "git.example.com";
constexpr std::string_view one_line = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n";
constexpr std::string_view other_line = "MDECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v\n";

struct Visit {
  bool resumed = false;
  Session session;
};

Visit visit(const std::shared_ptr<const ClientContext>& clients,
            const std::shared_ptr<const Context>& servers, const Session* session = nullptr) {
  Engine client(clients, git_name, session), server(servers);
  Wire wire(client, server);
  wire.shake_hands();
  // The client of the library does not get over that with TLS 1.2 (Engine::session()); OpenSSL's does.
  if (session != nullptr && wolfSSL_version(client.library()) == TLS1_2_VERSION && !wire.both_done()) {
    CHECK(server.fault().kind == FaultKind::alert);
    CHECK(!server.agreed().is_resumed);
    return {};
  }
  REQUIRE(wire.both_done());
  CHECK(wire.to_client("hello") == "hello");  // the ticket is in front of it
  CHECK(wire.to_server("good bye") == "good bye");
  CHECK(client.agreed().is_resumed == server.agreed().is_resumed);
  CHECK(static_cast<bool>(client.session()) == (client.agreed().protocol == "TLSv1.3"));
  return {.resumed = server.agreed().is_resumed,
          .session = Session(wolfSSL_get1_session(client.library()), clients)};
}

std::shared_ptr<const TicketKeys> keys_of(std::string_view text) {
  const auto keys = TicketKeys::from_text(text);
  REQUIRE_MESSAGE(keys.has_value(), (keys ? "" : keys.error()));
  return *keys;
}

}  // namespace

TEST_CASE("tls tickets: a client resumes on another core, and on a node with the same keys") {
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto clients = client_context("ca.pem", version);
    const auto one_core = server_context_with(keys_of(one_line));
    const auto other_core = one_core->with_tickets(keys_of(one_line));
    const auto other_node = server_context_with(keys_of(one_line));
    const Visit first = visit(clients, one_core);
    CHECK(!first.resumed);
    REQUIRE(first.session);
    CHECK(visit(clients, one_core, &first.session).resumed);
    CHECK(visit(clients, other_core, &first.session).resumed);
    CHECK(visit(clients, other_node, &first.session).resumed);
    // With another certificate of the listener's, too.
    CHECK(visit(clients, server_context_with(keys_of(one_line), {"git-rsa", "git-ecdsa"}), &first.session)
              .resumed);
    CHECK(!visit(clients, server_context_with(keys_of(other_line)), &first.session).resumed);
    CHECK(!visit(clients, server_context_with(TicketKeys::random()), &first.session).resumed);
    CHECK(!visit(clients, server_context(), &first.session).resumed);
  }
}

TEST_CASE("tls tickets: old keys open, keys that are gone do not") {
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto clients = client_context("ca.pem", version);
    const auto first_keys = TicketKeys::random();
    const auto second_keys = first_keys->rotated(1);
    const auto third_keys = second_keys->rotated(1);
    REQUIRE(third_keys->count() == 2);
    const auto first = server_context_with(first_keys);
    const auto second = first->with_tickets(second_keys);
    const auto third = first->with_tickets(third_keys);
    const Visit before = visit(clients, first);
    const Visit after = visit(clients, second, &before.session);
    CHECK(after.resumed);
    // With TLS 1.2 this library forgets to send a new one (5.5.4): the client starts anew once the key is
    // gone.
    if (version == Version::tls13) CHECK(visit(clients, third, &after.session).resumed);
    CHECK(!visit(clients, third, &before.session).resumed);
  }
}

TEST_CASE("tls tickets: who must show a certificate gets none, and comes in by none") {
  const auto keys = TicketKeys::random();
  const auto clients = client_context({.authorities = authorities("ca.pem"), .identity = pairs({"runner"})});
  const auto open = server_context_with(keys);
  const auto guarded = server_context({.pairs = pairs({"git-ecdsa"}),
                                       .client_certificates = ClientCertificates::required,
                                       .client_authorities = authorities("ca.pem"),
                                       .tickets = keys});
  CHECK(guarded->tickets() == nullptr);
  const Visit first = visit(clients, guarded);
  CHECK(!visit(clients, guarded, &first.session).resumed);
  const Visit elsewhere = visit(clients, open);
  CHECK(visit(clients, open, &elsewhere.session).resumed);
  CHECK(!visit(clients, guarded, &elsewhere.session).resumed);
}

TEST_CASE("tls tickets: keys from a file") {
  const auto error_of = [](std::string_view text) {
    const auto keys = TicketKeys::from_text(text);
    return keys ? std::string() : keys.error();
  };
  CHECK(error_of(one_line) == "");
  CHECK(
      keys_of("# a comment\n\n" + std::string(one_line) + "  " + std::string(other_line) + "\r\n")->count() ==
      2);
  CHECK(error_of("") == "it has no key");
  CHECK(error_of("\n# nothing\n") == "it has no key");
  CHECK(error_of("\nAAEC\n").starts_with("line 2: not the base64 of 48 bytes"));
  CHECK(
      error_of(std::string(one_line) + "!" + std::string(other_line)).starts_with("line 2: not the base64"));
  CHECK(error_of(std::string(one_line) + std::string(one_line)).starts_with("line 2: the same key"));
  std::string many;
  for (char c = 'A'; c < 'A' + 9; c++) many += c + std::string(one_line.substr(1));
  CHECK(error_of(many) == "line 9: more than 8 keys");
}

TEST_CASE("tls tickets: what was altered does not open") {
  const auto keys = TicketKeys::random();
  std::array<uint8_t, 100> ticket{};
  std::array<uint8_t, TicketKeys::name_bytes> name{};
  std::array<uint8_t, TicketKeys::nonce_bytes> nonce{1};
  std::array<uint8_t, TicketKeys::tag_bytes> tag{};
  const TicketKeys::Seal seal{.name = name, .nonce = nonce, .tag = tag};
  REQUIRE(keys->seal(ticket, seal));
  auto altered = ticket;
  altered[50] ^= 1;
  CHECK(keys->open(altered, seal) == TicketKeys::Opened::no);
  altered = ticket;
  name[0] ^= 1;
  CHECK(keys->open(altered, seal) == TicketKeys::Opened::no);
  name[0] ^= 1;
  CHECK(keys->rotated(1)->open(altered, seal) == TicketKeys::Opened::with_old_key);
  CHECK(keys->open(ticket, seal) == TicketKeys::Opened::yes);
  CHECK(ticket == std::array<uint8_t, 100>{});
}
