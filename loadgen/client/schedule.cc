#include "client/schedule.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace breakwater::storm {

Schedule::Schedule(std::span<const Arrival> arrivals, const Pushes& pushes, uint32_t core, uint32_t cores,
                   int64_t start_ns)
    : arrivals_(arrivals), pushes_(pushes) {
  std::vector<DueArrival> due;
  for (uint32_t index = 0; index < arrivals.size(); ++index) {
    const Arrival& arrival = arrivals[index];
    if (arrival.runner % cores != core) continue;
    if (arrival.follows == Arrival::nobody)
      due.push_back({start_ns + arrival.at_ns, index});
    else
      following_.push_back(index);
  }
  due_ = std::priority_queue<DueArrival, std::vector<DueArrival>, Later>(Later(), std::move(due));
}

std::optional<DueArrival> Schedule::take_due(int64_t now_ns) {
  if (due_.empty() || due_.top().at_ns > now_ns) return std::nullopt;
  const DueArrival next = due_.top();
  due_.pop();
  return next;
}

std::optional<int64_t> Schedule::next_ns() const {
  if (due_.empty()) return std::nullopt;
  return due_.top().at_ns;
}

void Schedule::look_at_pushes() {
  std::erase_if(following_, [this](uint32_t index) {
    const Arrival& arrival = arrivals_[index];
    const Pushes::Place* const place = pushes_.find(arrival.follows);
    BW_ASSERT(place != nullptr);
    if (!place->is_over()) return false;
    if (place->made)
      due_.push({place->ended_ns.load(std::memory_order_relaxed) + arrival.at_ns, index});
    else
      ++never_due_;
    return true;
  });
}

}  // namespace breakwater::storm
