// How long operations of a pool waited in the queue: a histogram of fixed buckets. Shared by all cores,
// atomics only; written by those that waited, so nothing where nobody does. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace breakwater::backends {

class Waits {
 public:
  // The longest wait of each bucket; one more holds what is longer than the last.
  static constexpr std::array<int64_t, 11> bounds_ms = {5,     10,     50,     100,    500,    1'000,
                                                        5'000, 10'000, 30'000, 60'000, 300'000};
  static constexpr size_t buckets = bounds_ms.size() + 1;

  void add(int64_t wait_ns) noexcept {
    const int64_t wait_us = std::max<int64_t>(wait_ns, 0) / 1000;
    size_t bucket = 0;
    while (bucket < bounds_ms.size() && wait_us > bounds_ms[bucket] * 1000) bucket++;
    counts_[bucket].fetch_add(1, std::memory_order_relaxed);
    sum_us_.fetch_add(static_cast<uint64_t>(wait_us), std::memory_order_relaxed);
  }

  uint64_t count(size_t bucket) const noexcept { return counts_[bucket].load(std::memory_order_relaxed); }
  uint64_t sum_us() const noexcept { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, buckets> counts_{};
  std::atomic<uint64_t> sum_us_{0};
};

}  // namespace breakwater::backends
