// How many requests may be sent to a second server: a share of all that came, with a small stock for quiet
// times. So servers in trouble see a little more than the clients ask for, and never a multiple of it. Pure;
// one per core and pool.
#pragma once

#include <algorithm>
#include <cstdint>

namespace breakwater::backends {

class RetryBudget {
 public:
  static constexpr uint32_t stock_max = 20;  // retries saved up

  // `percent` of requests; 0: no retries at all.
  explicit RetryBudget(uint32_t percent) noexcept
      : percent_(percent), hundredths_(percent == 0 ? 0 : 100 * stock_max) {}
  void request() noexcept { hundredths_ = std::min(hundredths_ + percent_, 100 * stock_max); }
  bool take() noexcept {
    if (hundredths_ < 100) return false;
    hundredths_ -= 100;
    return true;
  }

 private:
  uint32_t percent_;
  uint32_t hundredths_;  // of a retry
};

}  // namespace breakwater::backends
