// Schedule: one core's share of a plan, in the order of time: which arrivals are due, and when the next one
// is. Runner r belongs to core r mod cores. Those that follow a push are due so long after its end, and never
// if it came to nothing. Pure: times in, arrivals out.
#pragma once

#include <cstdint>
#include <optional>
#include <queue>
#include <span>
#include <vector>

#include "client/pushes.h"
#include "plan/scenario.h"

namespace breakwater::storm {

struct DueArrival {
  int64_t at_ns = 0;     // monotonic: its intended start
  uint32_t arrival = 0;  // index in the plan
};

class Schedule {
 public:
  // `arrivals` and `pushes` outlive it. `start_ns`: the storm's, monotonic.
  Schedule(std::span<const Arrival> arrivals, const Pushes& pushes, uint32_t core, uint32_t cores,
           int64_t start_ns);

  // The next one whose time has come.
  std::optional<DueArrival> take_due(int64_t now_ns);
  // When take_due() has to be called again; nullopt: nothing is left but what follows pushes that are not
  // over.
  std::optional<int64_t> next_ns() const;
  // A push may be over: looks at all that somebody here waits for.
  void look_at_pushes();
  // Nothing will ever be due again, also not after a push.
  bool is_over() const { return due_.empty() && following_.empty(); }
  uint32_t never_due() const { return never_due_; }  // their push came to nothing

 private:
  struct Later {
    bool operator()(const DueArrival& a, const DueArrival& b) const {
      return a.at_ns != b.at_ns ? a.at_ns > b.at_ns : a.arrival > b.arrival;
    }
  };
  std::span<const Arrival> arrivals_;
  const Pushes& pushes_;
  std::priority_queue<DueArrival, std::vector<DueArrival>, Later> due_;
  std::vector<uint32_t> following_;  // whose push is not over yet
  uint32_t never_due_ = 0;
};

}  // namespace breakwater::storm
