// Which server of a pool gets a request. One per core and pool; pure but for the pool's health, which it
// reads.
//
// Where a pool has primaries, what writes goes to these alone, and for what reads they are backups.
// Servers in rotation come first, then backups, then those that are ejected: they were judged, and may do
// better than nothing. While there are none of these at all, those that are down are tried, so that the first
// to live again is found at once. Among those of the same standing the pool's method decides:
//
//   round-robin         by turns, as the weights say (smooth: a b a c a, and not a a a b c)
//   least-connections   the fewest requests in flight over all cores, for its weight
//   fastest             the better of two drawn at random, by time to first byte of this class of work and
//                       requests in flight
//   repository          rendezvous hash of the repository: every node of ours chooses the same one; a server
//                       with more than 1.25 times its share of the requests in flight is passed over
//
// A server whose max is reached is passed over. If all of the best standing are full nobody gets it: more
// load is no reason to use backups, or servers that were judged.
//
// Nothing depends on the client's address: fleets share one.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "backends/health.h"
#include "backends/server_set.h"
#include "base/rng.h"

namespace breakwater::backends {

inline constexpr uint32_t no_server = UINT32_MAX;
inline constexpr uint32_t all_full = UINT32_MAX - 1;  // there are servers, but none has a place

class Balancer {
 public:
  // `start` differs between cores, so that they do not all begin with the same server. `health` outlives
  // this.
  Balancer(PoolHealth& health, uint32_t start, uint64_t seed);

  struct Ask {
    Work work = Work::other;
    uint64_t repository = 0;     // hashed; 0 for what belongs to none
    bool needs_primary = false;  // where a pool has primaries
    bool over_max = false;       // it goes to full servers, too
    bool may_be_down = true;     // it goes to one that is down if there are no others
  };
  // May it get this, if it is there at all?
  bool suits(uint32_t server, const Ask& ask) const noexcept {
    return !ask.needs_primary || !has_primaries_ || health_.config().servers[server].primary;
  }
  // None of `tried`; no_server if nothing is left, all_full if what is left is full.
  uint32_t pick(const Ask& ask, const ServerSet& tried, int64_t now_ns) noexcept;

 private:
  enum class Standing : uint8_t { in_rotation, backup, ejected, down, away };
  struct Seat {
    Standing standing = Standing::away;
    uint32_t weight = 1;  // more than 0
    int64_t credit = 0;   // of round-robin
    uint64_t key = 0;     // of rendezvous hashing: its address's hash
  };

  // Those to choose from.
  struct Among {
    Standing standing;
    ServerSet tried;
    // One request finds out whether a server can be reached again; the others only wait for that where there
    // is nobody else.
    bool unproven = false;
    bool primaries_only = false;
    bool passes_full = false;
  };

  void refresh(int64_t now_ns) noexcept;
  Standing standing_of(uint32_t server, uint32_t weight, int64_t now_ns) const noexcept;
  uint32_t pick_among(const Among& among, const Ask& ask) noexcept;
  bool fits(uint32_t server, const Among& among) const noexcept;
  bool has_any(const Among& among) const noexcept;
  uint32_t by_turns(const Among& among) noexcept;
  uint32_t least_busy(const Among& among) noexcept;
  uint32_t fastest(const Among& among, Work work) noexcept;
  uint32_t of_repository(const Among& among, uint64_t repository) const noexcept;
  uint32_t draw(const Among& among) noexcept;

  PoolHealth& health_;
  Rng rng_;
  std::vector<Seat> seats_;
  std::vector<double> loads_;  // of this pick
  int64_t now_ns_ = 0;         // of this pick
  uint32_t version_ = 0;
  int64_t refresh_ns_ = 0;
  bool somebody_is_there_ = false;
  bool has_primaries_ = false;
};

}  // namespace breakwater::backends
