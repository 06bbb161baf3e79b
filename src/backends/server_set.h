// A set of servers of one pool, by index: those that a request has tried.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace breakwater::backends {

inline constexpr uint32_t servers_max = 256;

class ServerSet {
 public:
  void add(uint32_t server) noexcept { words_[server / 64] |= bit(server); }
  bool has(uint32_t server) const noexcept { return (words_[server / 64] & bit(server)) != 0; }
  uint32_t size() const noexcept {
    uint32_t count = 0;
    for (const uint64_t word : words_) count += static_cast<uint32_t>(std::popcount(word));
    return count;
  }

 private:
  static uint64_t bit(uint32_t server) noexcept { return uint64_t{1} << (server % 64); }
  std::array<uint64_t, servers_max / 64> words_{};
};

}  // namespace breakwater::backends
