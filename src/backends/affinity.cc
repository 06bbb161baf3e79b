#include "backends/affinity.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/second.h"
#include "wire/byte_class.h"

namespace breakwater::backends {

namespace {

constexpr uint64_t mix(uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ull;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebull;
  return value ^ (value >> 31);
}

constexpr uint64_t second_bits = 24;
constexpr uint64_t server_bits = 8;
static_assert(servers_max <= 1u << server_bits);

constexpr uint64_t second_of(int64_t now_ns) {
  return static_cast<uint64_t>(now_ns / second_ns) & ((1u << second_bits) - 1);
}
constexpr uint64_t tag_of(uint64_t key) {
  return key >> 32 << 32;
}

}  // namespace

// Eight bytes in a step: it is taken of several fields of each request.
uint64_t hash(std::string_view text, bool fold, uint64_t seed) noexcept {
  const auto word_at = [fold](const char* bytes) {
    if (fold) return wire::lower_eight(bytes);
    uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
  };
  uint64_t value = seed ^ text.size() << 32;
  const auto add = [&value](uint64_t word) {
    value = (value ^ word) * 0x9e3779b97f4a7c15ull;
    value ^= value >> 32;
  };
  for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) add(word_at(text.data()));
  std::array<char, sizeof(uint64_t)> rest{};
  std::copy(text.begin(), text.end(), rest.begin());
  add(word_at(rest.data()));
  return mix(value);
}

void AffinityTable::remember(uint64_t key, uint32_t server, int64_t now_ns) noexcept {
  const uint64_t word = tag_of(key) | second_of(now_ns) << server_bits | server;
  (*table_)[key % entries].store(word, std::memory_order_relaxed);
}

uint32_t AffinityTable::server_for(uint64_t key, int64_t now_ns) const noexcept {
  const uint64_t word = (*table_)[key % entries].load(std::memory_order_relaxed);
  if (word == 0 || tag_of(word) != tag_of(key)) return no_server;
  const uint64_t age = (second_of(now_ns) - (word >> server_bits)) & ((1u << second_bits) - 1);
  if (age > lifetime_ns / second_ns) return no_server;
  return static_cast<uint32_t>(word & ((1u << server_bits) - 1));
}

}  // namespace breakwater::backends
