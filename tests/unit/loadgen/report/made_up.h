// A storm that never was: outcomes by dice, so that reports of every kind can be made, and their figures
// known.
#pragma once

#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "measure/collector.h"
#include "report/report.h"

namespace made_up {

using namespace breakwater::storm;

struct Storm {
  uint64_t seed = 1;
  double seconds = 20;
  double rate = 100;                // a second
  double latency_ms = 40;           // the median
  double slower_in_the_middle = 1;  // so many times, in the third quarter
  double failing = 0.01;            // a share
  std::vector<std::string> operations = {"clone", "ls-remote"};
  bool has_tls = false;
};

inline Scenario scenario_of(const Storm& storm) {
  Scenario scenario;
  scenario.name = "made up";
  scenario.seed = storm.seed;
  scenario.length = Duration(static_cast<int64_t>(storm.seconds * 1000));
  scenario.grace = Duration(10'000);
  scenario.target.host = "127.0.0.1";
  scenario.target.port = 3000;
  scenario.target.user = "ada";
  scenario.target.secret = "canary";
  scenario.target.repositories = {"/team/app.git"};
  scenario.runners.count = 50;
  for (const std::string& name : storm.operations) scenario.operations.emplace_back().name = name;
  scenario.arrivals.resize(1);
  return scenario;
}

// 0 to 1.
inline double dice(breakwater::Rng& rng) {
  return static_cast<double>(rng.next() >> 11) / 9007199254740992.0;
}

inline Outcome outcome_of(const Storm& storm, size_t number, breakwater::Rng& rng) {
  constexpr double second = 1e9;
  const double at = static_cast<double>(number) / storm.rate;
  const bool is_middle = at > storm.seconds / 2 && at < storm.seconds * 3 / 4;
  const double normal = std::sqrt(-2 * std::log(1 - dice(rng))) * std::cos(6.283185307 * dice(rng));
  const double ms = storm.latency_ms * std::exp(0.5 * normal) * (is_middle ? storm.slower_in_the_middle : 1);
  Outcome outcome;
  outcome.operation = static_cast<uint16_t>(number % storm.operations.size());
  outcome.runner = static_cast<uint32_t>(number % 50);
  outcome.intended_ns = static_cast<int64_t>(at * second);
  outcome.started_ns = outcome.intended_ns + static_cast<int64_t>(dice(rng) * 100'000);
  outcome.ended_ns = outcome.started_ns + static_cast<int64_t>(ms * 1e6);
  const auto reached = [&](Phase phase, double share) {
    outcome.phase_ns[static_cast<size_t>(phase)] = static_cast<int64_t>(share * ms * 1e6);
  };
  reached(Phase::connect, 0.01);
  if (storm.has_tls) reached(Phase::tls, 0.05);
  reached(Phase::advertisement, 0.1);
  reached(Phase::first_byte, 0.5);
  reached(Phase::first_pack, 0.6);
  reached(Phase::done, 1);
  outcome.bytes_received = 20'000 + rng.next() % 100'000;
  outcome.bytes_sent = 900;
  outcome.pack_bytes = outcome.bytes_received - 1000;
  outcome.pack_objects = 120;
  outcome.requests = 3;
  outcome.connections = 1;
  if (dice(rng) >= storm.failing) return outcome;
  constexpr Failure kinds[] = {Failure::status, Failure::truncated, Failure::stalled};
  outcome.failure = kinds[rng.next() % 3];
  outcome.status = 503;
  return outcome;
}

inline Results results_of(const Storm& storm, const Scenario& scenario) {
  breakwater::Rng rng(storm.seed);
  Collector collector(scenario, 0);
  const auto count = static_cast<size_t>(storm.seconds * storm.rate);
  for (size_t i = 0; i < count; ++i) {
    const Outcome outcome = outcome_of(storm, i, rng);
    collector.lagged(outcome.started_ns - outcome.intended_ns);
    collector.record(outcome, "the server said: <b>503</b> \xff & that was all");
  }
  const Collector* const all[] = {&collector};
  return gather(scenario, all,
                {.cpu_seconds = storm.seconds / 5, .elapsed_seconds = storm.seconds, .cores = 1});
}

inline Report report_of(const Storm& storm) {
  const Scenario scenario = scenario_of(storm);
  RunFacts facts = facts_of_this_run(scenario, static_cast<uint64_t>(storm.seconds * storm.rate));
  facts.started_at = "2026-11-26T22:00:00Z";
  facts.started_unix = 1795730400;
  return make_report(scenario, std::move(facts), results_of(storm, scenario));
}

}  // namespace made_up
