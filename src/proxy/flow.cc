#include "proxy/flow.h"

#include <algorithm>
#include <bit>

namespace breakwater::proxy {

void Flow::start(int64_t now_ns, bool end_shows) noexcept {
  *this = {};
  window_begun_ns_ = now_ns;
  end_shows_ = end_shows;
}

size_t Flow::low_water(int64_t now_ns) noexcept {
  window_waits_++;
  const int64_t window_ns = now_ns - window_begun_ns_;
  if (window_ns < wait_ns() / 2) return low_water_;  // too short to tell a pace
  const uint64_t pace = window_bytes_ * static_cast<uint64_t>(wait_ns()) / static_cast<uint64_t>(window_ns);
  const bool comes_in_drops = window_bytes_ / window_waits_ < much_at_once;
  proven_bytes_ += window_bytes_;
  window_bytes_ = window_waits_ = 0;
  window_begun_ns_ = now_ns;
  const bool saves_much = end_shows_ || comes_in_drops || low_water_ > 1;
  const bool worth_it = proven_bytes_ >= proof_wanted_ && pace >= low_water_min && saves_much;
  // Powers of two, so that a steady pace does not change it all the time.
  low_water_ = worth_it ? static_cast<size_t>(std::bit_floor(std::min<uint64_t>(pace, low_water_max))) : 1;
  return low_water_;
}

void Flow::lull() noexcept {
  low_water_ = 1;
  proven_bytes_ = 0;
  proof_wanted_ = std::min<uint64_t>(proof_wanted_ * 2, 64 * proof_bytes);
}

}  // namespace breakwater::proxy
