#include "proxy/sticky.h"

#include "wire/cookie.h"

namespace breakwater::proxy {

namespace {

// Takes as long wherever the two differ, so that no value can be guessed byte by byte.
bool equals_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  uint8_t differs = 0;
  for (size_t index = 0; index < a.size(); index++) differs |= static_cast<uint8_t>(a[index] ^ b[index]);
  return differs == 0;
}

StickyServer with_value(const SharedPool& pool, std::string_view value) noexcept {
  for (uint32_t index = 0; index < pool.servers.size(); index++) {
    const ServerAddress* const address = pool.servers[index].at();
    if (address == nullptr || address->sticky.empty()) continue;
    if (equals_in_constant_time(address->sticky, value)) return {index, address->sticky};
  }
  return {};
}

}  // namespace

// A client may have several of that name, from other paths and hosts of ours: one that names a server counts.
StickyServer sticky_server(const SharedPool& pool, const wire::Fields& fields) noexcept {
  const std::string_view name = pool.config.sticky.cookie;
  if (name.empty()) return {};
  for (size_t index = 0; index < fields.size(); index++) {
    const wire::Field field = fields[index];
    if (!wire::equals_ignoring_case(field.name, "cookie")) continue;
    std::string_view rest = field.value;
    wire::Cookie cookie;
    while (wire::next_cookie(rest, cookie)) {
      if (cookie.name != name) continue;
      const StickyServer found = with_value(pool, cookie.value);
      if (found.index != backends::no_server) return found;
    }
  }
  return {};
}

bool keeps_clients(const backends::PoolHealth& health, uint32_t server, int64_t now_ns) noexcept {
  if (!health.server(server).present()) return false;  // its address is gone
  switch (health.state(server, now_ns)) {
    case backends::State::up:
    case backends::State::slow:
    case backends::State::draining:
      return true;
    case backends::State::ejected:
      return health.panics(now_ns);  // no judgement counts
    case backends::State::down:
    case backends::State::maintenance:
    case backends::State::absent:
      return false;
  }
  return false;
}

}  // namespace breakwater::proxy
