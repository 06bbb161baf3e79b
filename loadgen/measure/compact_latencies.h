// Latencies of one second, or of one part of a storm, in as little memory as they need: each distinct bucket
// with its count, in order. Coarser than a Histogram: 32 buckets to every power of two, so that a percentile
// is at most 3.2 % too high. In microseconds; what is above an hour counts as an hour.
//
// Memory: 8 bytes for each bucket in which there is something, 7 KiB at most.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/histogram.h"

namespace breakwater::storm {

class CompactLatencies {
 public:
  using Layout = LogLinear<5>;
  static constexpr uint64_t us_max = 3'600'000'000;

  struct Entry {
    uint16_t bucket;
    uint32_t count;
    uint64_t highest_us() const noexcept { return Layout::highest_of(bucket); }
    bool operator==(const Entry&) const = default;
  };

  void record_ns(int64_t ns) { record_us(static_cast<uint64_t>(ns < 0 ? 0 : ns) / 1000, 1); }
  void record_us(uint64_t us, uint32_t times);
  void add(const CompactLatencies& other);

  uint64_t count() const noexcept;
  uint64_t us_at(double quantile) const noexcept;  // the upper end of its bucket; 0 if nothing was recorded
  std::span<const Entry> entries() const noexcept { return entries_; }

 private:
  std::vector<Entry> entries_;
};

}  // namespace breakwater::storm
