#include "report/json.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "report/hdr_text.h"

namespace breakwater::storm {

namespace {

using nlohmann::ordered_json;

ordered_json of(const Latencies& latencies) {
  ordered_json written = {{"count", latencies.count()},           {"p50_us", latencies.us_at(0.5)},
                          {"p90_us", latencies.us_at(0.9)},       {"p95_us", latencies.us_at(0.95)},
                          {"p99_us", latencies.us_at(0.99)},      {"p99_9_us", latencies.us_at(0.999)},
                          {"p99_99_us", latencies.us_at(0.9999)}, {"max_us", latencies.max_us()}};
  if (latencies.histogram() != nullptr) written["hdr"] = hdr_text(bucket_counts(*latencies.histogram()));
  return written;
}

ordered_json of(const PartCounts& part) {
  ordered_json reached = ordered_json::object();
  for (uint8_t each = 0; each < phases; ++each)
    if (!part.phase[each].entries().empty())
      reached[std::string(name(static_cast<Phase>(each)))] = hdr_text(bucket_counts(part.phase[each]));
  ordered_json written = {
      {"ended", part.ended}, {"failed", part.failed}, {"bytes_received", part.bytes_received}};
  if (!part.latency.entries().empty()) written["latency"] = hdr_text(bucket_counts(part.latency));
  if (!reached.empty()) written["phases"] = std::move(reached);
  return written;
}

ordered_json failures_of(const auto& counts) {
  ordered_json failed = ordered_json::object();
  for (uint8_t each = 1; each < failures; ++each)
    if (counts[each] > 0) failed[std::string(name(static_cast<Failure>(each)))] = counts[each];
  return failed;
}

ordered_json of(const SecondCounts& row) {
  ordered_json written = {{"begun", row.begun},
                          {"ended", row.ended},
                          {"failed", row.failed},
                          {"failures", failures_of(row.by_failure)},
                          {"bytes_received", row.bytes_received},
                          {"bytes_sent", row.bytes_sent},
                          {"latency_sum_us", row.latency_sum_us},
                          {"latency_max_us", row.latency_max_us}};
  if (!row.latency.entries().empty()) {
    written["latency_p50_us"] = row.latency.us_at(0.5);
    written["latency_p90_us"] = row.latency.us_at(0.9);
    written["latency_p99_us"] = row.latency.us_at(0.99);
    written["latency"] = hdr_text(bucket_counts(row.latency));
  }
  return written;
}

ordered_json of(const OperationCounts& counts) {
  ordered_json reached = ordered_json::object();
  for (uint8_t each = 0; each < phases; ++each)
    if (counts.phase[each].count() > 0)
      reached[std::string(name(static_cast<Phase>(each)))] = of(counts.phase[each]);
  return {{"ended", counts.ended},
          {"failed", counts.failed()},
          {"vanished", counts.vanished},
          {"failures", failures_of(counts.by_failure)},
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

ordered_json of(const RunFacts& facts) {
  return {{"program", facts.program},
          {"driver", facts.driver},
          {"git", facts.git},
          {"target", facts.target},
          {"repository", facts.repository},
          {"repositories", facts.repositories},
          {"kernel", facts.kernel},
          {"cpu", facts.cpu},
          {"cpus", facts.cpus},
          {"started_at", facts.started_at},
          {"started_unix", facts.started_unix},
          {"scenario", facts.scenario},
          {"scenario_hash", facts.scenario_hash},
          {"seed", facts.seed},
          {"loop", facts.is_open ? "open" : "closed"},
          {"runners", facts.runners},
          {"cores", facts.cores},
          {"length_seconds", facts.length_seconds},
          {"warm_up_seconds", facts.warm_up_seconds},
          {"operations_planned", facts.operations_planned}};
}

ordered_json effort_of(const Results& results) {
  return {{"cpu_seconds", results.effort.cpu_seconds},
          {"elapsed_seconds", results.effort.elapsed_seconds},
          {"cpu_seconds_per_gigabyte", cpu_seconds_per_gigabyte(results)},
          {"operations_per_cpu_second", operations_per_cpu_second(results)},
          {"lag", of(results.lag)}};
}

ordered_json words_of(const Results& results) {
  ordered_json words = ordered_json::object();
  for (uint8_t each = 1; each < failures; ++each)
    if (!results.words[each].empty())
      words[std::string(name(static_cast<Failure>(each)))] = results.words[each];
  return words;
}

ordered_json series_of(const Results& results) {
  ordered_json rows = ordered_json::array();
  for (const SecondCounts& row : results.series) rows.push_back(of(row));
  return {{"row_seconds", results.row_seconds}, {"rows", std::move(rows)}};
}

}  // namespace

std::string json_report(const Report& report) {
  const Results& results = report.results;
  ordered_json operations = ordered_json::object();
  for (size_t i = 0; i < report.operations.size(); ++i) {
    ordered_json written = of(results.operations[i]);
    ordered_json in_parts = ordered_json::array();
    for (const PartCounts& part : results.operations[i].part) in_parts.push_back(of(part));
    written["parts"] = std::move(in_parts);
    operations[report.operations[i]] = std::move(written);
  }
  const ordered_json written = {{"schema", json_schema},
                                {"valid", results.is_valid()},
                                {"doubts", results.doubts},
                                {"run", of(report.facts)},
                                {"generator", effort_of(results)},
                                {"fairness", results.fairness},
                                {"operations", std::move(operations)},
                                {"all", of(results.all)},
                                {"first_words", words_of(results)},
                                {"series", series_of(results)}};
  // What a server said may be no UTF-8.
  return written.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace breakwater::storm
