#include "measure/compact_latencies.h"

#include <algorithm>

namespace breakwater::storm {

void CompactLatencies::record_us(uint64_t us, uint32_t times) {
  const auto bucket = static_cast<uint16_t>(Layout::bucket_of(std::min(us, us_max)));
  const auto at = std::ranges::lower_bound(entries_, bucket, {}, &Entry::bucket);
  if (at != entries_.end() && at->bucket == bucket)
    at->count += times;
  else
    entries_.insert(at, {bucket, times});
}

void CompactLatencies::add(const CompactLatencies& other) {
  for (const Entry& each : other.entries_) record_us(each.highest_us(), each.count);
}

uint64_t CompactLatencies::count() const noexcept {
  uint64_t sum = 0;
  for (const Entry& each : entries_) sum += each.count;
  return sum;
}

uint64_t CompactLatencies::us_at(double quantile) const noexcept {
  const double wanted = quantile * static_cast<double>(count());
  uint64_t seen = 0;
  for (const Entry& each : entries_) {
    seen += each.count;
    if (static_cast<double>(seen) >= wanted) return each.highest_us();
  }
  return entries_.empty() ? 0 : entries_.back().highest_us();
}

}  // namespace breakwater::storm
