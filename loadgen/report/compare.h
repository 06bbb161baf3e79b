// Two reports compared: for every operation that both have, the percentiles of latency and phases, the rate
// and the failures, each as a ratio with an interval and a plain verdict. Pure, and the same for the same
// seed.
//
// How. Operations of one run hang together: what stalls one stalls its neighbours, so to draw single
// operations out of a histogram, as if they were independent, would call every chance stall a difference. So
// a run is cut into 32 parts of equal length by when operations should have begun (measure/counts.h), and
// whole parts are drawn (bootstrap of batches). Runs of one scenario have the same load in the same part, so
// both sides' parts are drawn in pairs then: what the schedule itself does in the course of a storm is on
// both sides and cancels out. The standard error of the logarithm of the ratio over `resamples` draws makes
// the interval, with Student's quantile for the number of parts, and wider by what the parts' coarser
// histograms can't tell. The intervals of all lines hold together with 95 % (Bonferroni): in 19 of 20
// comparisons of like with like there is no line that says otherwise.
//
// What it does not know is how much two runs differ by themselves: caches, the neighbours of a machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/report.h"

namespace breakwater::storm {

enum class Verdict : uint8_t {
  better,         // B is: faster, or fewer failures
  worse,          // slower, or more failures
  no_difference,  // none is shown: it may be there
  too_few,        // fewer operations than such a percentile needs
};

struct ComparedLine {
  enum class Unit : uint8_t { microseconds, per_second, share };
  std::string operation;
  std::string figure;  // "p99 latency", "p50 first_byte", "rate", "failures"
  Unit unit = Unit::microseconds;
  double a = 0, b = 0;
  // b/a and its interval; of a share b-a. With `too_few` there is no interval, and both ends are the ratio.
  double ratio = 1, low = 1, high = 1;
  Verdict verdict = Verdict::no_difference;
};

struct Comparison {
  std::string a, b;                  // what they are called: "a.json"
  std::vector<std::string> remarks;  // sentences: an invalid run, another machine, one run each
  std::vector<ComparedLine> lines;
  size_t count(Verdict verdict) const noexcept;
};

struct CompareOptions {
  uint64_t seed = 1;
  uint32_t resamples = 1000;
};

struct NamedReport {
  std::string name;
  const Report& report;
};

Comparison compare(const NamedReport& a, const NamedReport& b, const CompareOptions& options = {});

// So many operations have to be beyond a percentile on each side, and so many parts to have something, before
// an interval is given.
inline constexpr double beyond_min = 10;
inline constexpr uint32_t parts_min = 8;

}  // namespace breakwater::storm
