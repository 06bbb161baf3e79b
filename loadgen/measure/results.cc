#include "measure/results.h"

#include <fmt/format.h>

#include <algorithm>

namespace breakwater::storm {

namespace {

bool is_open(const Scenario& scenario) {
  return std::any_of(scenario.arrivals.begin(), scenario.arrivals.end(),
                     [](const Arrivals& each) { return each.shape != Arrivals::Shape::closed; });
}

void add_series(Results& results, const Collector& collector) {
  results.series_of.resize(collector.series().size());
  for (size_t operation = 0; operation < results.series_of.size(); ++operation) {
    const std::vector<SecondCounts>& rows = collector.series()[operation];
    std::vector<SecondCounts>& sums = results.series_of[operation];
    sums.resize(rows.size());
    results.series.resize(rows.size());
    for (size_t i = 0; i < rows.size(); ++i) {
      sums[i].add(rows[i]);
      results.series[i].add(rows[i]);
    }
  }
}

// Also in its grace: then operations that had begun are missing.
void doubt_what_was_broken_off(const Scenario& scenario, Results& results) {
  const std::optional<double> at = results.effort.broken_off_seconds;
  if (!at) return;
  const double length = seconds(scenario.length);
  results.doubts.push_back(
      *at < length ? fmt::format("ended by a signal after {:.1f} s of {:g} s", *at, length)
                   : fmt::format("ended by a signal {:.1f} s into its grace: what still ran is not counted",
                                 *at - length));
}

void doubt(const Scenario& scenario, Results& results) {
  doubt_what_was_broken_off(scenario, results);
  const uint64_t lag_us = results.lag.us_at(0.99);
  if (is_open(scenario) && lag_us > lag_us_max)
    results.doubts.push_back(fmt::format(
        "the generator was late: one operation in a hundred began {:.1f} ms or more after its time "
        "(at most {} ms are believed); lower the rate, or give it more cores",
        static_cast<double>(lag_us) / 1000, lag_us_max / 1000));
  const Effort& effort = results.effort;
  const double busy =
      effort.elapsed_seconds > 0 ? effort.cpu_seconds / effort.elapsed_seconds / effort.cores : 0;
  if (busy > busy_max)
    results.doubts.push_back(
        fmt::format("the generator used {:.0f} % of its {} core{}: it was the limit itself", busy * 100,
                    effort.cores, effort.cores == 1 ? "" : "s"));
  const uint64_t local = results.all.by_failure[static_cast<size_t>(Failure::local)];
  if (local > 0)
    results.doubts.push_back(
        fmt::format("{} operation{} failed for want of the generator's own: descriptors (ulimit "
                    "-n), ports or memory",
                    local, local == 1 ? "" : "s"));
  if (results.all.ended == 0) results.doubts.push_back("no operation was counted");
}

}  // namespace

Results gather(const Scenario& scenario, std::span<const Collector* const> collectors, const Effort& effort) {
  Results results;
  results.effort = effort;
  results.operations.resize(scenario.operations.size());
  results.runners.resize(scenario.runners.count);
  for (const Collector* const each : collectors) {
    for (size_t i = 0; i < results.operations.size(); ++i) results.operations[i].add(each->operations()[i]);
    add_series(results, *each);
    results.row_seconds = each->row_seconds();
    for (size_t i = 0; i < results.runners.size(); ++i) {
      const RunnerCounts& runner = each->runners()[i];  // of one core's, all others' are zero
      if (runner.well + runner.failed > 0) results.runners[i] = runner;
    }
    results.lag.add(each->lag());
    for (size_t i = 0; i < failures; ++i)
      if (results.words[i].empty()) results.words[i] = each->words()[i];
  }
  for (const OperationCounts& each : results.operations) results.all.add(each);
  while (!results.series.empty() && results.series.back().ended == 0 && results.series.back().begun == 0)
    results.series.pop_back();
  for (std::vector<SecondCounts>& each : results.series_of) each.resize(results.series.size());
  results.fairness = fairness(results.runners);
  doubt(scenario, results);
  return results;
}

}  // namespace breakwater::storm
