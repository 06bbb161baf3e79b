#include "report/report.h"

#include <utility>

namespace breakwater::storm {

namespace {

double divided(double value, double by) noexcept {
  return by > 0 ? value / by : 0;
}

}  // namespace

Report make_report(const Scenario& scenario, RunFacts facts, Results results) {
  Report report{.facts = std::move(facts), .operations = {}, .results = std::move(results)};
  for (const Operation& each : scenario.operations) report.operations.push_back(each.name);
  return report;
}

double operations_per_second(const Report& report, const OperationCounts& counts) noexcept {
  return divided(static_cast<double>(counts.by_failure[0]), report.results.effort.elapsed_seconds);
}

double cpu_seconds_per_gigabyte(const Results& results) noexcept {
  return divided(results.effort.cpu_seconds, static_cast<double>(results.all.bytes_received) / 1e9);
}

double operations_per_cpu_second(const Results& results) noexcept {
  return divided(static_cast<double>(results.all.ended), results.effort.cpu_seconds);
}

double failed_share(const OperationCounts& counts) noexcept {
  return divided(static_cast<double>(counts.failed()), static_cast<double>(counts.ended));
}

const Latencies* latencies_named(const OperationCounts& counts, std::string_view wanted) noexcept {
  if (wanted == "latency") return &counts.latency;
  if (wanted == "ttfb") wanted = name(Phase::first_byte);
  for (uint8_t each = 0; each < phases; ++each)
    if (name(static_cast<Phase>(each)) == wanted) return &counts.phase[each];
  return nullptr;
}

}  // namespace breakwater::storm
