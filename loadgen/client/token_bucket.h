// How fast a runner may read: a bucket of bytes that fills with time. A receive takes what it brought, also
// more than was there; then nothing is received until the debt is paid. So the rate holds on average, and no
// more than `burst` comes at once. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace breakwater::storm {

class TokenBucket {
 public:
  // Bytes a second; 0: without a bound. It begins full.
  TokenBucket(uint64_t rate, size_t burst_bytes, int64_t now_ns) noexcept
      : rate_(static_cast<double>(rate)),
        burst_(static_cast<double>(burst_bytes)),
        left_(burst_),
        at_ns_(now_ns) {}

  bool is_bounded() const noexcept { return rate_ > 0; }
  void take(size_t bytes, int64_t now_ns) noexcept {
    if (!is_bounded()) return;
    fill(now_ns);
    left_ -= static_cast<double>(bytes);
  }
  // When something may be received again: now or later.
  int64_t ready_ns(int64_t now_ns) noexcept {
    if (!is_bounded()) return now_ns;
    fill(now_ns);
    if (left_ >= 0) return now_ns;
    return now_ns + static_cast<int64_t>(-left_ / rate_ * 1e9) + 1;
  }

 private:
  void fill(int64_t now_ns) noexcept {
    const double passed = static_cast<double>(std::max<int64_t>(now_ns - at_ns_, 0)) / 1e9;
    left_ = std::min(left_ + passed * rate_, burst_);
    at_ns_ = std::max(at_ns_, now_ns);
  }

  double rate_;   // bytes a second
  double burst_;  // bytes
  double left_;   // bytes; less than 0: a debt
  int64_t at_ns_;
};

}  // namespace breakwater::storm
