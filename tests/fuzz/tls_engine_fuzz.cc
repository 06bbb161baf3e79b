// The TLS engine, with any bytes: as a client would send them to a server, as a server would to a client, and
// with bytes altered on the way between an honest client and an honest server. It fails once and for all, and
// what comes out of it is what went in, or the beginning of it.
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "tls/engine.h"
#include "unit/tls/certificates.h"

using namespace breakwater::tls;
using breakwater::tls::testing::certificate_file;
using Step = Engine::Step;

namespace {

constexpr std::string_view request = "GET /owner/repo.git/info/refs?service=git-upload-pack HTTP/1.1\r\n\r\n";

std::shared_ptr<const Context> make_servers() {
  ContextSettings settings;
  settings.pairs.push_back({.name = "git-ecdsa",
                            .chain = certificate_file("git-ecdsa.crt"),
                            .key = Secret(certificate_file("git-ecdsa.key")),
                            .staple = {},
                            .chain_file = {},
                            .key_file = {}});
  settings.tickets = TicketKeys::random();
  const auto context = Context::make(std::move(settings));
  BW_ASSERT(context.has_value());
  return *context;
}

std::shared_ptr<const ClientContext> make_clients(Version maximum) {
  ClientContextSettings settings;
  settings.maximum = maximum;
  settings.authorities.certificates = {"ca.pem", Secret(certificate_file("ca.pem"))};
  const auto context = ClientContext::make(std::move(settings));
  BW_ASSERT(context.has_value());
  return *context;
}

const std::shared_ptr<const Context>& servers() {
  static const auto context = make_servers();
  return context;
}

const std::shared_ptr<const ClientContext>& clients(bool old) {
  static const auto one = make_clients(Version::tls12);
  static const auto other = make_clients(Version::tls13);
  return old ? one : other;
}

// One engine and what has arrived for it.
struct End {
  Engine& engine;
  std::string arrived;
  std::string sent;
  std::string opened;
  Step step = Step::wants_input;
  bool greets = false;  // sends the request once it may

  // True if anything changed.
  bool turn() {
    if (step == Step::failed || step == Step::closed) return false;
    std::string room(4096, '\0'), place(4096, '\0');
    std::span<const char> hello(arrived);
    std::span<char> in(arrived), out(room), data(place);
    const bool shook_hands = engine.handshake_done();
    step = shook_hands ? engine.open(in, data, out) : engine.handshake(hello, out);
    BW_ASSERT((step == Step::failed) == static_cast<bool>(engine.fault()));
    const size_t taken = arrived.size() - (shook_hands ? in.size() : hello.size());
    sent.append(room, 0, room.size() - out.size());
    opened.append(place, 0, place.size() - data.size());
    arrived.erase(0, taken);
    if (engine.handshake_done() && greets) {
      greets = false;
      std::span<const char> text(request);
      std::span<char> record(room);
      BW_ASSERT(engine.seal(text, record) == Step::done);
      sent.append(room, 0, room.size() - record.size());
      return true;
    }
    return taken > 0 || out.size() != room.size() || engine.handshake_done() != shook_hands;
  }
};

void feed(Engine& engine, std::string_view bytes) {
  End end{.engine = engine, .arrived = std::string(bytes), .sent = {}, .opened = {}};
  while (end.turn()) {
  }
  BW_ASSERT(end.opened.empty());  // nobody who knows no key makes up data
  const Fault fault = engine.ended();
  BW_ASSERT(fault && !explain(fault.kind).empty() && !name(fault.kind).empty());
  std::string nothing;
  std::span<const char> in(nothing);
  std::span<char> out(nothing);
  if (!engine.handshake_done()) BW_ASSERT(engine.handshake(in, out) == Step::failed);
}

// How the bytes on the way are cut and altered; the rest of the input arrives at the server in the end.
void meet(bool old, std::span<const uint8_t> script) {
  const auto next = [&script] {
    if (script.empty()) return uint8_t{0};
    const uint8_t value = script[0];
    script = script.subspan(1);
    return value;
  };
  Engine client(clients(old), "git.example.com"), server(servers());
  End at_client{.engine = client, .arrived = {}, .sent = {}, .opened = {}, .greets = true};
  End at_server{.engine = server, .arrived = {}, .sent = {}, .opened = {}};
  const size_t piece = 1 + next() * 8;
  uint32_t edits = next() % 8;
  const bool untouched = edits == 0;
  size_t edit_at = edits > 0 ? next() * 16U + next() % 16U : 0;
  size_t passed = 0;
  const auto carry = [&](std::string& from, std::string& to) {
    const size_t bytes = std::min(piece, from.size());
    if (edits > 0 && edit_at >= passed && edit_at < passed + bytes) {
      from[edit_at - passed] = static_cast<char>(from[edit_at - passed] ^ next());
      edits--;
      edit_at += 1U + next();
    }
    passed += bytes;
    to.append(from, 0, bytes);
    from.erase(0, bytes);
    return bytes > 0;
  };
  bool moved = true;
  while (moved) {
    moved = at_client.turn();
    moved = carry(at_client.sent, at_server.arrived) || moved;
    moved = at_server.turn() || moved;
    moved = carry(at_server.sent, at_client.arrived) || moved;
  }
  BW_ASSERT(request.starts_with(at_server.opened));
  BW_ASSERT(at_client.opened.empty());
  if (untouched) BW_ASSERT(at_server.opened == request);
  // From here on somebody else speaks.
  at_server.arrived.append(reinterpret_cast<const char*>(script.data()), script.size());
  while (at_server.turn()) {
  }
  BW_ASSERT(request.starts_with(at_server.opened));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const bool old = (data[0] & 4) != 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] & 3) {
    case 0: {
      Engine server(servers());
      feed(server, bytes);
      break;
    }
    case 1: {
      Engine client(clients(old), "git.example.com");
      feed(client, bytes);
      break;
    }
    default:
      meet(old, {data + 1, size - 1});
  }
  return 0;
}
