// Results: what a whole storm came to, out of all cores' Collectors, and whether it may be believed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "measure/collector.h"
#include "measure/counts.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// What the generator itself took.
struct Effort {
  double cpu_seconds = 0;      // of the whole process, user and system
  double elapsed_seconds = 0;  // from the storm's start to its end
  uint32_t cores = 1;          // threads that ran it
  // A signal ended it so long after its start: what ran or was to come is not counted.
  std::optional<double> broken_off_seconds = std::nullopt;
};

struct Results {
  std::vector<OperationCounts> operations;  // as in the scenario
  OperationCounts all;
  std::vector<SecondCounts> series;                  // of all operations together
  std::vector<std::vector<SecondCounts>> series_of;  // of each, as long; empty in one that was read
  uint32_t row_seconds = 1;
  std::vector<RunnerCounts> runners;
  Latencies lag;
  std::array<std::string, failures> words;
  Effort effort;
  double fairness = 1;
  // Why this run says nothing, a sentence each; empty: it is valid.
  std::vector<std::string> doubts;

  bool is_valid() const noexcept { return doubts.empty(); }
};

// In an open loop the generator may be so late at 99 of 100 operations before the run is doubted.
inline constexpr uint64_t lag_us_max = 10'000;
// The share of its threads' time from which the generator counts as saturated.
inline constexpr double busy_max = 0.9;

Results gather(const Scenario& scenario, std::span<const Collector* const> collectors, const Effort& effort);

}  // namespace breakwater::storm
