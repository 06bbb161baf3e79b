// Reports of made-up results.
#include <doctest/doctest.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "measure/collector.h"
#include "report/json.h"
#include "report/summary.h"

using namespace breakwater::storm;

namespace {

constexpr int64_t ms = 1'000'000;

Scenario one_operation() {
  Scenario scenario;
  scenario.target.host = "127.0.0.1";
  scenario.target.port = 3000;
  scenario.target.user = "ada";
  scenario.target.secret = "canary";
  scenario.target.repositories = {"/app.git"};
  scenario.operations.resize(1);
  scenario.operations[0].name = "clone";
  scenario.arrivals.resize(1);
  return scenario;
}

Results some_results(const Scenario& scenario) {
  Collector collector(scenario, 0);
  for (int i = 1; i <= 100; ++i) {
    Outcome outcome;
    outcome.ended_ns = i * ms;
    outcome.bytes_received = 1'000'000;
    outcome.pack_bytes = 900'000;
    outcome.runner = static_cast<uint32_t>(i % 100);
    outcome.failure = i > 98 ? Failure::sideband : Failure::none;
    collector.record(outcome, "fatal: \xff");
  }
  const Collector* const all[] = {&collector};
  return gather(scenario, all, {.cpu_seconds = 0.5, .elapsed_seconds = 10, .cores = 1});
}

}  // namespace

TEST_CASE("report: times and sizes as people read them") {
  CHECK(time_text(999) == "999 us");
  CHECK(time_text(1500) == "1.50 ms");
  CHECK(time_text(45'600) == "45.6 ms");
  CHECK(time_text(456'000) == "456 ms");
  CHECK(time_text(4'560'000) == "4.56 s");
  CHECK(bytes_text(999) == "999 B");
  CHECK(bytes_text(1'234'567'890) == "1.23 GB");
}

TEST_CASE("report: a summary says first whether it may be believed") {
  const Scenario scenario = one_operation();
  const RunFacts facts = facts_of_this_run(scenario, 100);
  Results results = some_results(scenario);
  const std::string text = summary(scenario, facts, results);
  CHECK(text.starts_with("valid: stormgen "));
  CHECK(text.find("at http://127.0.0.1:3000, open loop") != std::string::npos);
  CHECK(text.find("clone: 100 ended, 10.00/s, 2 failed (2.000 %)") != std::string::npos);
  CHECK(text.find("sideband") != std::string::npos);
  CHECK(text.find("canary") == std::string::npos);
  results.doubts.push_back("the generator was late");
  CHECK(summary(scenario, facts, results).starts_with("INVALID: the generator was late\n"));
}

TEST_CASE("report: JSON has what the summary has, and bytes that are no UTF-8 do not break it") {
  const Scenario scenario = one_operation();
  const std::string text = json_report(scenario, facts_of_this_run(scenario, 100), some_results(scenario));
  const nlohmann::json report = nlohmann::json::parse(text);
  CHECK(report["schema"] == 1);
  CHECK(report["valid"] == true);
  CHECK(report["operations"]["clone"]["ended"] == 100);
  CHECK(report["operations"]["clone"]["failures"] == nlohmann::json{{"sideband", 2}});
  CHECK(report["operations"]["clone"]["latency"]["count"] == 98);
  CHECK(report["all"]["pack_bytes"] == 90'000'000);
  CHECK(report["series"]["rows"].size() == 1);
  CHECK(text.find("canary") == std::string::npos);
}

TEST_CASE("report: the hash is of what is done, not of the dice") {
  Scenario scenario = one_operation();
  const std::string hash = hash_of(scenario);
  scenario.seed = 77;
  CHECK(hash_of(scenario) == hash);
  scenario.operations[0].depth = 1;
  CHECK(hash_of(scenario) != hash);
}
