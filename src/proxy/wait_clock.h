// WaitClock: how long something was waited for, in all, of waits that follow each other. Pure.
#pragma once

#include <cstdint>

namespace breakwater::proxy {

class WaitClock {
 public:
  void begin(int64_t now_ns) noexcept { begun_ns_ = now_ns; }
  void end(int64_t now_ns) noexcept {
    past_ns_ += now_ns - begun_ns_;
    begun_ns_ = none;
  }
  // With the wait that goes on, if one does.
  int64_t total_ns(int64_t now_ns) const noexcept {
    return past_ns_ + (begun_ns_ != none ? now_ns - begun_ns_ : 0);
  }

 private:
  static constexpr int64_t none = INT64_MIN;

  int64_t begun_ns_ = none;
  int64_t past_ns_ = 0;
};

}  // namespace breakwater::proxy
