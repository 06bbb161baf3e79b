// Counts how often a value was seen, in buckets whose width grows with the value: 128 to every power of two,
// so that a percentile is at most 0.8 % too high, whatever the unit and range (the layout of HdrHistogram).
// 58 KiB, no allocation after construction; record() is a few instructions.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/assert.h"

namespace breakwater {

// Where a value is counted: the values below 2^bits have a bucket each, and every further power of two has
// 2^bits buckets.
template <unsigned bits>
struct LogLinear {
  static constexpr uint64_t linear = uint64_t{1} << bits;
  static constexpr size_t buckets = linear * (64 - bits + 1);

  static constexpr size_t bucket_of(uint64_t value) noexcept {
    if (value < linear) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - bits - 1;
    return linear * shift + (value >> shift);
  }
  static constexpr uint64_t highest_of(size_t bucket) noexcept {
    if (bucket < linear) return bucket;
    const size_t shift = bucket / linear - 1;
    return ((bucket - linear * shift + 1) << shift) - 1;
  }

  // The upper end of the bucket of the value that a share of `quantile` (0 to 1) of all values does not
  // exceed; `counts` has how many each bucket has, `all` together. 0 if there are none.
  static uint64_t value_at(double quantile, std::span<const uint64_t> counts, uint64_t all) noexcept {
    BW_ASSERT(quantile >= 0 && quantile <= 1);
    const double wanted = quantile * static_cast<double>(all);
    uint64_t seen = 0;
    for (size_t bucket = 0; bucket < counts.size(); ++bucket) {
      seen += counts[bucket];
      if (counts[bucket] != 0 && static_cast<double>(seen) >= wanted) return highest_of(bucket);
    }
    return 0;
  }
};

class Histogram {
 public:
  using Layout = LogLinear<7>;
  static constexpr size_t buckets = Layout::buckets;

  void record(uint64_t value, uint64_t times = 1) noexcept {
    counts_[Layout::bucket_of(value)] += times;
    count_ += times;
    max_ = std::max(max_, value);
  }

  uint64_t count() const noexcept { return count_; }
  uint64_t max() const noexcept { return max_; }
  uint64_t count_of(size_t bucket) const noexcept { return counts_[bucket]; }

  // The value that a share of `quantile` (0 to 1) of all recorded values does not exceed: the upper end of
  // its bucket, but never above the largest value seen. 0 if nothing was recorded.
  uint64_t value_at(double quantile) const noexcept {
    return std::min(Layout::value_at(quantile, counts_, count_), max_);
  }

  // Adds what `other` counted.
  void add(const Histogram& other) noexcept {
    for (size_t bucket = 0; bucket < buckets; ++bucket) counts_[bucket] += other.counts_[bucket];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

 private:
  std::array<uint64_t, buckets> counts_{};
  uint64_t count_ = 0;
  uint64_t max_ = 0;
};

}  // namespace breakwater
