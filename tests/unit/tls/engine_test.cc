// Two engines in memory: what they agree on, what they refuse, and that nothing is lost or made up on the
// way.
#include "tls/engine.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "base/rng.h"
#include "tls/library.h"
#include "tls/wolfssl.h"
#include "unit/tls/world.h"

using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

using Step = Engine::Step;
constexpr std::string_view git_name = "git.example.com";

// Both sides' faults of a handshake that must not succeed.
struct Refusal {
  FaultKind client, server;
};

Refusal refusal(std::shared_ptr<const ClientContext> clients, std::shared_ptr<const Context> servers) {
  Engine client(std::move(clients), git_name), server(std::move(servers));
  Wire wire(client, server);
  wire.shake_hands();
  // With TLS 1.3 a client is done before the server has seen its certificate, and hears of it later.
  if (wire.client_step == Step::done && wire.server_step == Step::failed) {
    std::string back;
    open_all(client, wire.for_client, back, wire.client_step);
  }
  CHECK(!wire.both_done());
  return {client.fault().kind, server.fault().kind};
}

std::string noise(size_t bytes) {
  breakwater::Rng rng(7);
  std::string text(bytes, '\0');
  for (char& c : text) c = static_cast<char>(rng.next());
  return text;
}

ContextSettings with_clients(ClientCertificates wanted, bool with_list = false) {
  return {.pairs = pairs({"git-ecdsa"}),
          .client_certificates = wanted,
          .client_authorities = authorities("ca.pem", with_list),
          .tickets = TicketKeys::random()};
}

std::shared_ptr<const ClientContext> client_with(std::string_view certificate) {
  return client_context({.authorities = authorities("ca.pem"), .identity = pairs({certificate})});
}

// Of a client: everything it has to say at first.
std::string first_flight(Engine& client) {
  std::string room(8192, '\0');
  std::span<const char> nothing;
  std::span<char> out(room);
  CHECK(client.handshake(nothing, out) == Step::wants_input);
  room.resize(room.size() - out.size());
  return room;
}

// A key update of the client's, as it would send it.
std::string key_update(Engine& client) {
  std::string room(4096, '\0');
  std::span<const char> nothing;
  std::span<char> out(room);
  Transport& transport = *static_cast<Transport*>(wolfSSL_GetIOWriteCtx(client.library()));
  transport.begin(nothing, out);
  CHECK(wolfSSL_update_keys(client.library()) == WOLFSSL_SUCCESS);
  transport.end();
  return room.substr(0, room.size() - out.size());
}

Step feed(Engine& server, std::string_view bytes, std::string* answer = nullptr) {
  std::string room(8192, '\0');
  std::span<const char> in(bytes);
  std::span<char> out(room);
  const Step step = server.handshake(in, out);
  if (answer != nullptr) *answer = room.substr(0, room.size() - out.size());
  return step;
}

}  // namespace

TEST_CASE("tls engine: a handshake by TLS 1.3, data both ways, and an orderly end") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  CHECK(client.agreed().protocol == "TLSv1.3");
  CHECK(server.agreed().protocol == "TLSv1.3");
  CHECK(server.agreed().suite == "TLS_AES_128_GCM_SHA256");
  CHECK(server.asked_name() == git_name);
  CHECK(server.agreed().speaks_http);
  CHECK(client.agreed().speaks_http);
  CHECK(!server.agreed().is_resumed);
  REQUIRE(client.peer() != nullptr);
  CHECK(client.peer()->is_for(git_name));
  CHECK(server.peer() == nullptr);
  CHECK(wire.to_server("GET / HTTP/1.1\r\n\r\n") == "GET / HTTP/1.1\r\n\r\n");
  const std::string pack = noise(1'000'000);
  CHECK(wire.to_client(pack) == pack);
  CHECK(wire.to_server(pack) == pack);

  std::string room(100, '\0');
  std::span<char> out(room);
  CHECK(client.close(out) == Step::done);
  wire.for_server.append(room, 0, room.size() - out.size());
  CHECK(open_all(server, wire.for_server, wire.for_client, wire.last).empty());
  CHECK(wire.last == Step::closed);
  CHECK(!server.ended());
  // The other direction goes on.
  CHECK(wire.to_client("the rest") == "the rest");
}

TEST_CASE("tls engine: a handshake by TLS 1.2") {
  const auto clients = client_context("ca.pem", Version::tls12);
  for (const std::string_view certificate : {"git-ecdsa", "git-rsa"}) {
    Engine client(clients, git_name), server(server_context({certificate}));
    Wire wire(client, server);
    wire.shake_hands();
    REQUIRE(wire.both_done());
    CHECK(server.agreed().protocol == "TLSv1.2");
    CHECK(client.agreed().protocol == "TLSv1.2");
    const std::string pack = noise(100'000);
    CHECK(wire.to_client(pack) == pack);
    CHECK(wire.to_server(pack) == pack);
  }
}

TEST_CASE("tls engine: bytes may come one by one, and room may be scarce") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands(1);
  REQUIRE(wire.both_done());
  std::string records = seal_all(client, "a small request");
  std::string text, back;
  for (const char c : records) {
    std::string one(1, c);
    text += open_all(server, one, back, wire.last);
    CHECK(wire.last == Step::wants_input);
  }
  CHECK(text == "a small request");

  // Data by threes.
  records = seal_all(client, noise(1000));
  std::span<char> in(records);
  std::array<char, 3> three{};
  std::string room(1000, '\0');
  text.clear();
  Step step = Step::wants_room;
  while (step == Step::wants_room) {
    std::span<char> data(three), out(room);
    step = server.open(in, data, out);
    text.append(three.data(), three.size() - data.size());
    if (step == Step::wants_room && text.size() < 1000) CHECK(server.holds_data());
  }
  CHECK(text == noise(1000));
  CHECK(!server.holds_data());
}

TEST_CASE("tls engine: nothing is taken where its answer would find no room") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  std::string records = seal_all(client, "data");
  std::span<char> in(records);
  std::string room(Engine::room_min - 1, '\0'), place(100, '\0');
  std::span<char> data(place), out(room);
  CHECK(server.open(in, data, out) == Step::wants_room);
  CHECK(in.size() == records.size());
  CHECK(data.size() == place.size());

  std::span<const char> text(place);
  std::span<char> little(room.data(), Engine::record_overhead_max);
  CHECK(server.seal(text, little) == Step::wants_room);
  CHECK(text.size() == place.size());
}

TEST_CASE("tls engine: records are opened in the place where they lie") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  const std::string pack = noise(100'000);
  std::string buffer = seal_all(client, pack);
  std::string room(1000, '\0');
  std::span<char> in(buffer), data(buffer), out(room);
  CHECK(server.open(in, data, out) == Step::wants_input);
  CHECK(in.empty());
  CHECK(buffer.substr(0, buffer.size() - data.size()) == pack);
}

TEST_CASE("tls engine: records are as large as there is room for, at most 16 KiB") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  const std::string pack = noise(50'000);
  std::string room(20'000, '\0');
  std::span<const char> data(pack);
  std::span<char> out(room);
  CHECK(client.seal(data, out) == Step::wants_room);
  const auto length = [&room](size_t at) {
    return static_cast<size_t>(static_cast<uint8_t>(room[at + 3]) << 8 | static_cast<uint8_t>(room[at + 4]));
  };
  const size_t first = length(0);
  CHECK(first >= Engine::record_data_max);
  CHECK(first <= Engine::record_data_max + Engine::record_overhead_max - 5);
  CHECK(room.size() - out.size() == 5 + first + 5 + length(5 + first));
  std::string records = room.substr(0, room.size() - out.size()), back;
  const std::string text = open_all(server, records, back, wire.last);
  CHECK(text == pack.substr(0, pack.size() - data.size()));
}

TEST_CASE("tls engine: certificates by name and by what the client can check") {
  const auto servers = server_context({"git-rsa", "git-ecdsa", "wildcard", "rsa-only", "p384"});
  const auto shown = [&](std::string_view asked, const char* suites = nullptr) {
    Engine client(client_context("ca.pem", suites == nullptr ? Version::tls13 : Version::tls12), asked);
    if (suites != nullptr) REQUIRE(wolfSSL_set_cipher_list(client.library(), suites) == WOLFSSL_SUCCESS);
    Engine server(servers);
    Wire wire(client, server);
    wire.shake_hands();
    REQUIRE(wire.both_done());
    return client.peer()->key;  // the client has seen that the name is right
  };
  constexpr const char* only_rsa = "ECDHE-RSA-AES128-GCM-SHA256";
  CHECK(shown("git.example.com") == KeyKind::p256);
  CHECK(shown("git.example.com", only_rsa) == KeyKind::rsa);
  CHECK(shown("a.example.net") == KeyKind::p256);
  CHECK(shown("old.example.com") == KeyKind::rsa);
  CHECK(shown("p384.example.com") == KeyKind::p384);
}

TEST_CASE("tls engine: names that the server's certificate must be for") {
  const auto clients = client_context();
  const auto done = [&](std::string_view asked, const std::vector<std::string_view>& certificates) {
    Engine client(clients, asked), server(server_context(certificates));
    Wire wire(client, server);
    wire.shake_hands();
    if (!wire.both_done()) CHECK(client.fault().kind == FaultKind::wrong_name);
    return wire.both_done();
  };
  CHECK(done("git.example.com", {"git-ecdsa"}));
  CHECK(done("a.git.example.com", {"git-ecdsa"}));
  CHECK(!done("a.b.git.example.com", {"git-ecdsa"}));
  CHECK(done("127.0.0.1", {"git-ecdsa"}));
  CHECK(!done("127.0.0.2", {"git-ecdsa"}));
  CHECK(!done("example.net", {"wildcard"}));
  CHECK(done("b.example.net", {"wildcard"}));
  CHECK(done("git.example.com", {"wildcard", "git-rsa"}));
  CHECK(done("p384.example.com", {"wildcard", "p384"}));
  CHECK(!done("unknown.example.com", {"wildcard", "git-rsa"}));
}

TEST_CASE("tls engine: servers' certificates that are refused, each for its reason") {
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto clients = client_context("ca.pem", version);
    const auto of = [&](std::string_view certificate) {
      const Refusal both = refusal(clients, server_context({certificate}));
      CHECK(both.server == FaultKind::alert);  // the client says so
      return both.client;
    };
    CHECK(of("expired") == FaultKind::expired);
    CHECK(of("future") == FaultKind::not_yet_valid);
    CHECK(of("stranger") == FaultKind::unknown_ca);
    CHECK(of("wildcard") == FaultKind::wrong_name);
  }
}

TEST_CASE("tls engine: clients' certificates") {
  const auto servers = server_context(with_clients(ClientCertificates::required));
  Engine client(client_with("runner"), git_name), server(servers);
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  REQUIRE(server.peer() != nullptr);
  CHECK(server.peer()->subject.find("CN=runner 7") != std::string::npos);
  CHECK(server.peer()->uris == std::vector<std::string>{"spiffe://ci/runner/7"});
  CHECK(server.peer()->mailboxes == std::vector<std::string>{"ci@example.com"});
  CHECK(server.peer()->dns_names == std::vector<std::string>{"runner7.example.com"});
  CHECK(server.peer()->not_after - server.peer()->not_before == 30 * 24 * 3600);
  CHECK(!server.peer()->serial.empty());

  CHECK(refusal(client_context(), servers).server == FaultKind::no_certificate);
  CHECK(refusal(client_with("strange-runner"), servers).server == FaultKind::unknown_ca);
  const auto optional = server_context(with_clients(ClientCertificates::optional));
  CHECK(refusal(client_with("strange-runner"), optional).server == FaultKind::unknown_ca);
  Engine nobody(client_context(), git_name), tolerant(optional);
  Wire second(nobody, tolerant);
  second.shake_hands();
  CHECK(second.both_done());
  CHECK(tolerant.peer() == nullptr);
}

TEST_CASE("tls engine: clients' certificates that were revoked") {
  const auto servers = server_context(with_clients(ClientCertificates::required, true));
  CHECK(refusal(client_with("revoked"), servers).server == FaultKind::revoked);
  Engine client(client_with("runner"), git_name), server(servers);
  Wire wire(client, server);
  wire.shake_hands();
  CHECK(wire.both_done());
  // Without the list nobody knows.
  Engine unknown(client_with("revoked"), git_name),
      trusting(server_context(with_clients(ClientCertificates::required)));
  Wire second(unknown, trusting);
  second.shake_hands();
  CHECK(second.both_done());
}

TEST_CASE("tls engine: what is no TLS") {
  const auto servers = server_context();
  const auto fault_of = [&](std::string_view bytes, std::string* answer = nullptr) {
    Engine server(servers);
    CHECK(feed(server, bytes, answer) == Step::failed);
    CHECK(feed(server, bytes) == Step::failed);
    return server.fault().kind;
  };
  std::string answer;
  CHECK(fault_of("GET / HTTP/1.1\r\nHost: a\r\n\r\n", &answer) == FaultKind::plain_http);
  CHECK(answer.empty());
  CHECK(fault_of("\x01garbage", &answer) == FaultKind::not_tls);
  CHECK(answer == std::string_view("\x15\x03\x03\x00\x02\x02\x0a", 7));
  CHECK(fault_of(std::string_view("\x16\x03\x01\x00\x00", 5)) == FaultKind::bad_hello);
  Engine client(client_context(), git_name);
  std::string hello = first_flight(client);
  CHECK(fault_of("\n" + hello) == FaultKind::not_tls);
  hello[9] = 9;  // its version: no such thing, but the extension counts
  Engine server(servers);
  CHECK(feed(server, hello) != Step::done);
}

TEST_CASE("tls engine: old protocols, and a minimum") {
  Engine client(client_context(), git_name);
  std::string hello = first_flight(client);
  // The versions in the extension (type 43) become TLS 1.0 and 1.1.
  for (size_t at = 0; at + 1 < hello.size(); at++)
    if (hello.compare(at, 2, "\x00\x2b", 2) == 0) {
      for (size_t version = at + 5; version < at + 5 + static_cast<uint8_t>(hello[at + 4]); version += 2)
        hello[version + 1] = static_cast<char>(hello[version + 1] - 2);
      break;
    }
  Engine server(server_context());
  std::string answer;
  CHECK(feed(server, hello, &answer) == Step::failed);
  CHECK(server.fault().kind == FaultKind::old_protocol);
  CHECK(answer == std::string_view("\x15\x03\x03\x00\x02\x02\x46", 7));

  const auto servers = server_context({.pairs = pairs({"git-ecdsa"}),
                                       .minimum = Version::tls13,
                                       .client_authorities = {},
                                       .tickets = nullptr});
  const Refusal both = refusal(client_context("ca.pem", Version::tls12), servers);
  CHECK(both.server == FaultKind::old_protocol);
  CHECK(both.client == FaultKind::alert);
}

TEST_CASE("tls engine: applications that are named by ALPN") {
  Engine client(client_context(), git_name);
  std::string hello = first_flight(client);
  const size_t at = hello.find("http/1.1");
  REQUIRE(at != std::string::npos);
  hello[at] = 'x';
  Engine server(server_context());
  std::string answer;
  CHECK(feed(server, hello, &answer) == Step::failed);
  CHECK(server.fault().kind == FaultKind::no_application);
  CHECK(answer.back() == 120);
}

TEST_CASE("tls engine: a hello in many small records, and one in too many") {
  const auto servers = server_context();
  Engine client(client_context(), git_name);
  const std::string hello = first_flight(client);
  const auto cut = [&hello](size_t piece) {
    std::string records;
    for (size_t at = 5; at < hello.size(); at += piece) {
      const std::string part = hello.substr(at, piece);
      records += std::string("\x16\x03\x01", 3) + static_cast<char>(part.size() >> 8) +
                 static_cast<char>(part.size());
      records += part;
    }
    return records;
  };
  Engine server(servers);
  std::string answer;
  CHECK(feed(server, cut(hello.size() / 20), &answer) == Step::wants_input);
  CHECK(!answer.empty());
  Engine other(servers);
  CHECK(feed(other, cut(1)) == Step::failed);
  CHECK(other.fault().kind == FaultKind::hello_too_large);
  // One that says it will be larger is not waited for.
  Engine third(servers);
  CHECK(feed(third, std::string_view("\x16\x03\x01\x40\x00\x01\x00\x50\x00\x03\x03", 11)) == Step::failed);
  CHECK(third.fault().kind == FaultKind::hello_too_large);
}

TEST_CASE("tls engine: a connection that ends without a close_notify was cut") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  CHECK(wire.to_server("half of it") == "half of it");
  CHECK(server.ended().kind == FaultKind::truncated);
  Engine early(server_context());
  CHECK(early.ended().kind == FaultKind::truncated);
  // A close_notify in the handshake is no orderly end of anything.
  Engine other(client_context(), git_name);
  first_flight(other);
  CHECK(feed(other, std::string_view("\x15\x03\x03\x00\x02\x01\x00", 7)) == Step::failed);
  CHECK(other.fault().kind == FaultKind::alert);
  CHECK(alert_name(other.fault().alert) == "close_notify");
  CHECK(other.ended().kind == FaultKind::alert);
}

TEST_CASE("tls engine: a record that was altered is refused, and nothing of it is given out") {
  for (const Version version : {Version::tls12, Version::tls13}) {
    Engine client(client_context("ca.pem", version), git_name), server(server_context());
    Wire wire(client, server);
    wire.shake_hands();
    REQUIRE(wire.both_done());
    std::string records = seal_all(client, noise(1000));
    records[500] = static_cast<char>(records[500] ^ 1);
    std::string back;
    CHECK(open_all(server, records, back, wire.last).empty());
    CHECK(wire.last == Step::failed);
    CHECK(server.fault().kind == FaultKind::bad_record);
    CHECK(library_reason(server.fault()) != "");
    CHECK(!back.empty());  // the alert
    std::string more = seal_all(client, "more");
    CHECK(open_all(server, more, back, wire.last).empty());
    CHECK(wire.last == Step::failed);
  }
}

TEST_CASE("tls engine: an alert of the other side is told by its name") {
  Engine client(client_context("other-ca.pem"), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  CHECK(server.fault().kind == FaultKind::alert);
  CHECK((alert_name(server.fault().alert) == "unknown_ca" ||
         alert_name(server.fault().alert) == "bad_certificate"));
}

TEST_CASE("tls engine: key updates are answered, but not a storm of them") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  const auto update = [&client](std::string& records) { records += key_update(client); };
  std::string records;
  for (int round = 0; round < 10; round++) update(records);
  CHECK(open_all(server, records, wire.for_client, wire.last).empty());
  CHECK(wire.last == Step::wants_input);
  std::string back;
  CHECK(open_all(client, wire.for_client, back, wire.last).empty());
  CHECK(wire.last == Step::wants_input);
  CHECK(wire.to_server("with new keys") == "with new keys");
  CHECK(wire.to_client("both ways") == "both ways");
  for (int round = 0; round < 40; round++) update(records);
  CHECK(open_all(server, records, wire.for_client, wire.last).empty());
  CHECK(wire.last == Step::failed);
  CHECK(server.fault().kind == FaultKind::storm);
}

TEST_CASE("tls engine: many updates among much data are no storm") {
  Engine client(client_context(), git_name), server(server_context());
  Wire wire(client, server);
  wire.shake_hands();
  REQUIRE(wire.both_done());
  const std::string pack = noise(70'000);
  for (int round = 0; round < 100; round++) {
    wire.for_server += key_update(client);
    REQUIRE(wire.to_server(pack) == pack);
    REQUIRE(wire.to_client(pack) == pack);  // behind the answer to the update
  }
  // With little data they are.
  Step last = Step::wants_input;
  for (int round = 0; round < 100 && last != Step::failed; round++) {
    wire.for_server += key_update(client);
    wire.to_server("x");
    last = wire.last;
  }
  CHECK(server.fault().kind == FaultKind::storm);
}
