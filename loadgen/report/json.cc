#include "report/json.h"

#include <nlohmann/json.hpp>

namespace breakwater::storm {

namespace {

using nlohmann::ordered_json;

ordered_json of(const Latencies& latencies) {
  return {{"count", latencies.count()},           {"p50_us", latencies.us_at(0.5)},
          {"p90_us", latencies.us_at(0.9)},       {"p95_us", latencies.us_at(0.95)},
          {"p99_us", latencies.us_at(0.99)},      {"p99_9_us", latencies.us_at(0.999)},
          {"p99_99_us", latencies.us_at(0.9999)}, {"max_us", latencies.max_us()}};
}

ordered_json of(const OperationCounts& counts) {
  ordered_json failed = ordered_json::object();
  for (uint8_t each = 1; each < failures; ++each)
    if (counts.by_failure[each] > 0)
      failed[std::string(name(static_cast<Failure>(each)))] = counts.by_failure[each];
  ordered_json reached = ordered_json::object();
  for (uint8_t each = 0; each < phases; ++each)
    if (counts.phase[each].count() > 0)
      reached[std::string(name(static_cast<Phase>(each)))] = of(counts.phase[each]);
  return {{"ended", counts.ended},
          {"failed", counts.failed()},
          {"vanished", counts.vanished},
          {"failures", failed},
          {"tries", counts.tries},
          {"requests", counts.requests},
          {"connections", counts.connections},
          {"stalls", counts.stalls},
          {"bytes_received", counts.bytes_received},
          {"bytes_sent", counts.bytes_sent},
          {"packs", counts.packs},
          {"pack_bytes", counts.pack_bytes},
          {"pack_objects", counts.pack_objects},
          {"packs_unpacked_by_git", counts.deep_checks},
          {"latency", of(counts.latency)},
          {"phases", reached}};
}

}  // namespace

std::string json_report(const Scenario& scenario, const RunFacts& facts, const Results& results) {
  ordered_json report;
  report["schema"] = json_schema;
  report["valid"] = results.is_valid();
  report["doubts"] = results.doubts;
  report["run"] = {{"program", facts.program},
                   {"driver", facts.driver},
                   {"target", facts.target},
                   {"kernel", facts.kernel},
                   {"cpu", facts.cpu},
                   {"cpus", facts.cpus},
                   {"started_at", facts.started_at},
                   {"scenario_hash", facts.scenario_hash},
                   {"seed", scenario.seed},
                   {"runners", scenario.runners.count},
                   {"cores", scenario.cores},
                   {"operations_planned", facts.operations_planned}};
  report["generator"] = {{"cpu_seconds", results.effort.cpu_seconds},
                         {"elapsed_seconds", results.effort.elapsed_seconds},
                         {"lag", of(results.lag)}};
  report["fairness"] = results.fairness;
  ordered_json operations = ordered_json::object();
  for (size_t i = 0; i < scenario.operations.size(); ++i)
    operations[scenario.operations[i].name] = of(results.operations[i]);
  report["operations"] = operations;
  report["all"] = of(results.all);
  ordered_json words = ordered_json::object();
  for (uint8_t each = 1; each < failures; ++each)
    if (!results.words[each].empty())
      words[std::string(name(static_cast<Failure>(each)))] = results.words[each];
  report["first_words"] = words;
  ordered_json series = ordered_json::array();
  for (const SecondCounts& row : results.series)
    series.push_back({{"begun", row.begun},
                      {"ended", row.ended},
                      {"failed", row.failed},
                      {"bytes_received", row.bytes_received},
                      {"bytes_sent", row.bytes_sent},
                      {"latency_sum_us", row.latency_sum_us},
                      {"latency_max_us", row.latency_max_us}});
  report["series"] = {{"row_seconds", results.row_seconds}, {"rows", series}};
  // What a server said may be no UTF-8.
  return report.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace breakwater::storm
