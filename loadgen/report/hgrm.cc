#include "report/hgrm.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "report/hdr_text.h"

namespace breakwater::storm {

namespace {

// In half the distance that is left to 100 %, so many lines.
constexpr int lines_per_half = 5;

double ms(uint64_t us) {
  return static_cast<double>(us) / 1000;
}

struct Moments {
  double mean = 0, deviation = 0;  // microseconds
};

Moments moments_of(const std::vector<BucketCount>& counts, uint64_t max) {
  double count = 0, sum = 0, squares = 0;
  for (const BucketCount& each : counts) {
    const double value = static_cast<double>(std::min(Histogram::Layout::highest_of(each.bucket), max));
    const double times = static_cast<double>(each.count);
    count += times;
    sum += value * times;
    squares += value * value * times;
  }
  if (count == 0) return {};
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(squares / count - mean * mean, 0.0))};
}

void write_lines(std::string& out, const std::vector<BucketCount>& counts, uint64_t total, uint64_t max) {
  uint64_t seen = 0;
  double next = 0;
  for (const BucketCount& each : counts) {
    seen += each.count;
    const double share = static_cast<double>(seen) / static_cast<double>(total);
    const double value = ms(std::min(Histogram::Layout::highest_of(each.bucket), max));
    while (next <= share && next < 1) {
      out += fmt::format("{:12.3f} {:2.12f} {:10} {:14.2f}\n", value, next, seen, 1 / (1 - next));
      if (seen == total) break;
      const double halves = std::floor(std::log2(1 / (1 - next))) + 1;
      next += 1 / (lines_per_half * std::exp2(halves));
    }
  }
  out += fmt::format("{:12.3f} {:2.12f} {:10}\n", ms(max), 1.0, total);
}

}  // namespace

std::string percentile_distribution(const Latencies& latencies) {
  std::string text;
  text +=
      fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
  std::vector<BucketCount> counts;
  if (latencies.histogram() != nullptr) counts = bucket_counts(*latencies.histogram());
  const uint64_t total = latencies.count(), max = latencies.max_us();
  if (total > 0) write_lines(text, counts, total, max);
  const Moments moments = moments_of(counts, max);
  text += fmt::format("#[Mean    = {:12.3f}, StdDeviation   = {:12.3f}]\n", moments.mean / 1000,
                      moments.deviation / 1000);
  text += fmt::format("#[Max     = {:12.3f}, Total count    = {:12}]\n", ms(max), total);
  // As HdrHistogram counts them: powers of two above its first, to the largest value.
  text += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n", max < 256 ? 1 : std::bit_width(max) - 7,
                      256);
  return text;
}

}  // namespace breakwater::storm
