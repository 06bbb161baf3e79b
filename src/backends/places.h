// How many operations run on each server of a pool, and how many may (a server's max). Shared by all cores,
// atomics only. Pure.
//
// An operation takes a place on its server when that is chosen, and gives it back at its end. The limit is
// for those that begin: whoever is in the middle of an operation takes a place on a full server as well.
// Where no server has a limit nothing is counted.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/config.h"

namespace breakwater::backends {

// One more of `taken`, unless there are `most` (0: as many as there may be). Counted first and looked at
// then: of two that race for the last place at most one gets it; both may be turned away.
inline bool take_below(std::atomic<uint32_t>& taken, uint32_t most) noexcept {
  const uint32_t now = taken.fetch_add(1, std::memory_order_relaxed) + 1;
  if (most == 0 || now <= most) return true;
  taken.fetch_sub(1, std::memory_order_relaxed);
  return false;
}

class Places {
 public:
  explicit Places(const std::vector<config::Server>& servers);
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // Has any of them one? An agent may give it one while we run.
  bool has_limits() const noexcept { return limited_.load(std::memory_order_relaxed) != 0; }
  uint32_t limit(uint32_t server) const noexcept {  // 0: none
    return servers_[server].limit.load(std::memory_order_relaxed);
  }
  uint32_t taken(uint32_t server) const noexcept {
    return servers_[server].taken.load(std::memory_order_relaxed);
  }
  bool is_full(uint32_t server) const noexcept {
    return limit(server) != 0 && taken(server) >= limit(server);
  }

  // False, and nothing has changed: it is full.
  bool enter(uint32_t server) noexcept { return take_below(servers_[server].taken, limit(server)); }
  void enter_anyway(uint32_t server) noexcept {
    servers_[server].taken.fetch_add(1, std::memory_order_relaxed);
  }
  void leave(uint32_t server) noexcept { servers_[server].taken.fetch_sub(1, std::memory_order_relaxed); }

  // From one thread a server: the core that asks its agent, or who looks its name up.
  void set_limit(uint32_t server, uint32_t limit) noexcept;

 private:
  struct alignas(64) Server {
    std::atomic<uint32_t> taken{0};
    std::atomic<uint32_t> limit{0};
  };
  std::unique_ptr<Server[]> servers_;
  std::atomic<uint32_t> limited_{0};  // how many have a limit
};

}  // namespace breakwater::backends
