// The addresses of a server that is a name: which of its slots each has, how long they hold, and what SRV
// records say of them. Pure: who asks DNS, and how, is app/resolver.h.
//
// A pool's servers are a table that never changes its size, so that cores may read it without a lock. A name
// has several places in it, its slots. An address keeps its slot for as long as DNS names it, and gets it
// back afterwards if nobody else needed it (docs/decisions/0009).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"

namespace breakwater::backends {

// Shares are counted in 1/256.
inline constexpr uint32_t whole_share = 256;

// One address that DNS names. Of A and AAAA records all have the same priority and weight.
struct Found {
  std::string address;  // as text, with its port: what tells it from others
  uint16_t priority = 0;
  uint16_t weight = 0;
};

// How an SRV record compares with the others that were found (RFC 2782).
struct Rank {
  bool backup = false;           // another one has a lower priority
  uint32_t share = whole_share;  // of the weight of the heaviest one of its priority; at least 1
};
Rank rank_of(const Found& one, std::span<const Found> all) noexcept;

// When records of this TTL are looked up again.
int64_t lifetime_ns(uint32_t ttl_s, const config::Dns& dns) noexcept;
// When a name is looked up again that nobody answered for, or that has no address.
int64_t retry_ns(const config::Dns& dns) noexcept;

// The slots of one name.
class Slots {
 public:
  static constexpr uint32_t none = UINT32_MAX;

  explicit Slots(uint32_t count) : slots_(count) {}

  // The slot of each of `found`, by its place there; none where there are too many. Each address stands in
  // `found` once. A slot whose address is not among them is given up, but remembered.
  std::vector<uint32_t> assign(std::span<const Found> found);

 private:
  struct Slot {
    std::string address;  // empty: never had one
    bool taken = false;
    uint64_t left = 0;  // the round in which it was given up
  };

  Slot* of(const std::string& address) noexcept;
  Slot* longest_free() noexcept;

  std::vector<Slot> slots_;
  uint64_t round_ = 0;
};

}  // namespace breakwater::backends
