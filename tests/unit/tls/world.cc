#include "unit/tls/world.h"

#include <doctest/doctest.h>

#include <cstring>

#include "tls/wolfssl.h"

namespace breakwater::tls::testing {
Pair pair(std::string_view name, std::string_view staple) {
  const std::string stem(name);
  std::string key = certificate_file(stem + ".key");
  Secret secret(key);
  explicit_bzero(key.data(), key.size());  // tests look for what is left of it
  const std::string authority = staple.empty() ? "" : certificate_file("ca.pem");
  return {.name = stem,
          .chain = certificate_file(stem + ".crt") + authority,
          .key = std::move(secret),
          .staple = staple.empty() ? "" : certificate_file(staple),
          .chain_file = stem + ".crt",
          .key_file = stem + ".key"};
}

std::vector<Pair> pairs(const std::vector<std::string_view>& names) {
  std::vector<Pair> all;
  for (const std::string_view name : names) all.push_back(pair(name));
  return all;
}

Authorities authorities(std::string_view name, bool with_list) {
  Authorities all{.certificates = {std::string(name), Secret(certificate_file(name))}, .revoked = {}};
  if (with_list) all.revoked = {"crl.pem", Secret(certificate_file("crl.pem"))};
  return all;
}

std::shared_ptr<const Context> server_context(ContextSettings settings) {
  const auto context = Context::make(std::move(settings));
  REQUIRE_MESSAGE(context.has_value(), (context ? "" : context.error().front()));
  return *context;
}

std::shared_ptr<const Context> server_context(const std::vector<std::string_view>& names) {
  return server_context({.pairs = pairs(names), .client_authorities = {}, .tickets = nullptr});
}

std::shared_ptr<const Context> server_context_with(std::shared_ptr<const TicketKeys> tickets,
                                                   const std::vector<std::string_view>& names) {
  return server_context({.pairs = pairs(names), .client_authorities = {}, .tickets = std::move(tickets)});
}

std::shared_ptr<const ClientContext> client_context(ClientContextSettings settings) {
  const auto context = ClientContext::make(std::move(settings));
  REQUIRE_MESSAGE(context.has_value(), (context ? "" : context.error().front()));
  return *context;
}

std::shared_ptr<const ClientContext> client_context(std::string_view authority, Version maximum) {
  return client_context({.maximum = maximum, .authorities = authorities(authority), .identity = {}});
}

void Wire::shake_hands(size_t piece) {
  std::string client_kept, server_kept;  // arrived, and not taken yet
  const auto turn = [piece](Engine& engine, std::string& way, std::string& kept, std::string& back,
                            Engine::Step& step) {
    if (step == Engine::Step::done || step == Engine::Step::failed) return false;
    const size_t before = kept.size() + way.size();
    kept += way.substr(0, piece);
    way.erase(0, piece);
    std::span<const char> in(kept);
    std::string room(4096, '\0');
    std::span<char> out(room);
    step = engine.handshake(in, out);
    const size_t written = room.size() - out.size();
    back.append(room, 0, written);
    kept.erase(0, kept.size() - in.size());
    return written > 0 || kept.size() + way.size() != before || !way.empty() || step == Engine::Step::done;
  };
  bool moved = true;
  while (moved) {
    moved = turn(client_, for_client, client_kept, for_server, client_step);
    moved = turn(server_, for_server, server_kept, for_client, server_step) || moved;
  }
  // What belongs behind the handshake.
  for_client.insert(0, client_kept);
  for_server.insert(0, server_kept);
}

std::string open_all(Engine& engine, std::string& records, std::string& back, Engine::Step& last) {
  std::string text, room(64 * 1024, '\0'), answers(4096, '\0');
  std::span<char> in(records);
  do {
    std::span<char> data(room), out(answers);
    last = engine.open(in, data, out);
    text.append(room, 0, room.size() - data.size());
    back.append(answers, 0, answers.size() - out.size());
  } while (last == Engine::Step::wants_room);
  records.erase(0, records.size() - in.size());
  return text;
}

std::string seal_all(Engine& engine, std::string_view text) {
  std::string records, room(32 * 1024, '\0');
  std::span<const char> data(text);
  Engine::Step step = Engine::Step::wants_room;
  while (step == Engine::Step::wants_room) {
    std::span<char> out(room);
    step = engine.seal(data, out);
    records.append(room, 0, room.size() - out.size());
  }
  CHECK(step == Engine::Step::done);
  return records;
}

std::string Wire::carry(Engine& from, Engine& to, std::string& way, std::string_view text) {
  way += seal_all(from, text);
  return open_all(to, way, &way == &for_server ? for_client : for_server, last);
}

}  // namespace breakwater::tls::testing
