// Pushes: what a push has made, for the fetches that follow it (fan-out), which may be on other cores.
//
// The places are made before the start, one for each push that is followed. Its core writes a place once and
// then wakes all cores; what is read after is_over() is what was written before it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>

#include "base/assert.h"
#include "git/object_id.h"
#include "plan/scenario.h"

namespace breakwater::storm {

class Pushes {
 public:
  struct Place {
    ObjectId commit;
    bool made = false;  // the server has taken it
    std::atomic<int64_t> ended_ns{0};
    bool is_over() const noexcept { return ended_ns.load(std::memory_order_acquire) != 0; }
  };

  explicit Pushes(std::span<const Arrival> arrivals) {
    for (const Arrival& arrival : arrivals)
      if (arrival.follows != Arrival::nobody) places_.try_emplace(arrival.follows, std::make_unique<Place>());
  }

  // Null: nobody follows that arrival.
  const Place* find(uint32_t arrival) const noexcept {
    const auto found = places_.find(arrival);
    return found == places_.end() ? nullptr : found->second.get();
  }
  // True if somebody follows it, and should hear of it.
  bool write(uint32_t arrival, bool made, const ObjectId& commit, int64_t ended_ns) noexcept {
    const auto found = places_.find(arrival);
    if (found == places_.end()) return false;
    Place& place = *found->second;
    BW_ASSERT(!place.is_over());
    place.commit = commit;
    place.made = made;
    place.ended_ns.store(ended_ns, std::memory_order_release);
    return true;
  }

 private:
  std::unordered_map<uint32_t, std::unique_ptr<Place>> places_;
};

}  // namespace breakwater::storm
