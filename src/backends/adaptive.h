// A limit that finds itself: how many operations a pool takes at a time, between a floor and a ceiling, by
// how long its servers take to their first byte. Additive increase, multiplicative decrease. Shared by all
// cores, atomics only. Pure: the time comes with each call, in ns of the monotonic clock.
//
// Once a window it is judged, by whichever core hears something then:
//
//   more than half of the waits of a class of work were slow   a quarter less, and what was asked for before
//                                                              that says nothing any more
//   else, if the limit was reached, and every class that was   a step more
//   slow was found well since
//   else, or if nothing was heard                              as it is: nobody knows what more would do
//
// Slow is what takes more than twice as long as is usual, and 20 ms. What is usual is learnt from the
// averages of windows: it follows them down, and up only while the limit is at its floor. Were it to follow
// them up elsewhere, a long storm would become what is usual. docs/queue.md has the sums.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "backends/health.h"

namespace breakwater::backends {

class Adaptive {
 public:
  static constexpr int64_t window_ns = 1'000'000'000;
  static constexpr uint32_t steps = 32;       // from nothing to the ceiling
  static constexpr uint32_t samples_min = 5;  // fewer say nothing, and wait for more
  // A class that was slow, and of which nothing was heard for so long, is not waited for any more.
  static constexpr int64_t silence_ns = 30'000'000'000;

  // 1 <= floor <= ceiling. It begins at the floor, so that what is usual is learnt there.
  Adaptive(uint32_t floor, uint32_t ceiling);
  Adaptive(const Adaptive&) = delete;
  Adaptive& operator=(const Adaptive&) = delete;

  uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }
  // The last place was taken, or somebody was turned away.
  void reached() noexcept {
    if (!reached_.load(std::memory_order_relaxed)) reached_.store(true, std::memory_order_relaxed);
  }
  // The first byte of an answer came after that wait. Of Work::other only the time that it is now counts.
  void heard(Work work, int64_t wait_ns, int64_t now_ns) noexcept;
  // What is usual for that class of work; 0: not known.
  int64_t usual_us(Work work) const noexcept {
    return classes_[static_cast<size_t>(work)].usual_us.load(std::memory_order_relaxed);
  }

 private:
  struct Class {
    std::atomic<uint32_t> waits{0};  // since they were last judged
    std::atomic<uint32_t> slow{0};   // of these
    std::atomic<int64_t> sum_us{0};
    std::atomic<int64_t> usual_us{0};
    std::atomic<int64_t> slow_ns{0};  // when it was found slow; 0: it was found well since
  };
  static constexpr int64_t slow_from_us(int64_t usual_us) noexcept { return 2 * usual_us + 20'000; }

  enum class Verdict : uint8_t { unheard, well, slow };
  void judge(int64_t now_ns) noexcept;
  Verdict judge(Class& waits, int64_t now_ns) noexcept;
  bool may_rise(int64_t now_ns) const noexcept;
  void learn(Class& waits, int64_t average_us) noexcept;

  const uint32_t floor_, ceiling_;
  std::atomic<uint32_t> limit_;
  std::atomic<bool> reached_{false};
  std::atomic<int64_t> window_began_ns_{0};
  std::atomic<int64_t> decreased_ns_{INT64_MIN};
  std::array<Class, works> classes_;
};

}  // namespace breakwater::backends
