// Outcomes in, figures out: with outcomes whose percentiles are known.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "measure/collector.h"
#include "measure/results.h"

using namespace breakwater::storm;

namespace {

constexpr int64_t ms = 1'000'000;
constexpr int64_t second = 1000 * ms;

Scenario two_operations() {
  Scenario scenario;
  scenario.length = Duration(10'000);
  scenario.grace = Duration(5'000);
  scenario.runners.count = 4;
  scenario.operations.resize(2);
  scenario.arrivals.resize(1);
  return scenario;
}

Outcome ended(int64_t intended_ns, int64_t latency_ns, Failure failure = Failure::none) {
  Outcome outcome;
  outcome.intended_ns = outcome.started_ns = intended_ns;
  outcome.ended_ns = intended_ns + latency_ns;
  outcome.failure = failure;
  outcome.bytes_received = 1000;
  return outcome;
}

Results results_of(const Scenario& scenario, const std::vector<std::unique_ptr<Collector>>& collectors,
                   Effort effort = {.cpu_seconds = 1, .elapsed_seconds = 10, .cores = 1}) {
  std::vector<const Collector*> all;
  for (const std::unique_ptr<Collector>& each : collectors) all.push_back(each.get());
  return gather(scenario, all, effort);
}

}  // namespace

TEST_CASE("collector: latency counts from the intended start, and only of what went well") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  for (int core = 0; core < 2; ++core) collectors.push_back(std::make_unique<Collector>(scenario, second));
  for (int i = 1; i <= 100; ++i) {
    Outcome outcome = ended(second, i * ms);
    outcome.started_ns = second + ms / 2;
    outcome.runner = static_cast<uint32_t>(i % 4);
    outcome.phase_ns[static_cast<size_t>(Phase::first_byte)] = 2 * ms;
    collectors[static_cast<size_t>(i % 2)]->record(outcome);
  }
  collectors[0]->record(ended(second, 4 * second, Failure::status), "503 from the edge");
  collectors[1]->record(ended(second, 4 * second, Failure::status), "another");
  const Results results = results_of(scenario, collectors);
  const OperationCounts& clone = results.operations[0];
  CHECK(clone.ended == 102);
  CHECK(clone.failed() == 2);
  CHECK(clone.latency.count() == 100);
  CHECK(clone.latency.us_at(0.5) == doctest::Approx(50'000).epsilon(0.01));
  CHECK(clone.latency.us_at(0.99) == doctest::Approx(99'000).epsilon(0.01));
  CHECK(clone.latency.max_us() == 100'000);
  CHECK(clone.phase[static_cast<size_t>(Phase::first_byte)].us_at(0.5) ==
        doctest::Approx(2000).epsilon(0.01));
  CHECK(clone.phase[static_cast<size_t>(Phase::first_pack)].count() == 0);
  CHECK(results.words[static_cast<size_t>(Failure::status)] == "503 from the edge");
  CHECK(results.all.bytes_received == 102'000);
  CHECK(results.is_valid());
}

TEST_CASE("collector: what a server said has no control bytes, and an end") {
  const Scenario scenario = two_operations();
  Collector collector(scenario, second);
  collector.record(ended(second, ms, Failure::status), "\x1b[2Jgone\r\n" + std::string(300, 'x'));
  const std::string& words = collector.words()[static_cast<size_t>(Failure::status)];
  CHECK(words.starts_with(" [2Jgone  xxx"));
  CHECK(words.size() == 200);
}

TEST_CASE("collector: a storm that a signal ended was no whole one, and is not valid") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  collectors[0]->record(ended(second, 10 * ms));
  const auto doubts_at = [&](double seconds) {
    return results_of(scenario, collectors, {.elapsed_seconds = seconds, .broken_off_seconds = seconds})
        .doubts;
  };
  CHECK(doubts_at(2.04) == std::vector<std::string>{"ended by a signal after 2.0 s of 10 s"});
  CHECK(doubts_at(11.5) ==
        std::vector<std::string>{"ended by a signal 1.5 s into its grace: what still ran is not counted"});
}

TEST_CASE("collector: a series of seconds ends with the last that had something") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  collectors[0]->record(ended(second, 10 * ms));
  collectors[0]->record(ended(2 * second, 1500 * ms));
  collectors[0]->record(ended(100 * second, ms));  // after all the storm has: in its last row
  const std::vector<SecondCounts>& series = collectors[0]->series()[0];
  CHECK(series[0].ended == 1);
  CHECK(series[1].begun == 1);
  CHECK(series[1].ended == 0);
  CHECK(series[2].ended == 1);
  CHECK(series[2].latency_max_us == 1'500'000);
  CHECK(series.back().ended == 1);
}

TEST_CASE("collector: seconds are counted for each operation, and for all of them") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  for (int core = 0; core < 2; ++core) collectors.push_back(std::make_unique<Collector>(scenario, second));
  collectors[0]->record(ended(second, 10 * ms));
  Outcome other = ended(2 * second, 20 * ms, Failure::status);
  other.operation = 1;
  collectors[1]->record(other);
  const Results results = results_of(scenario, collectors);
  REQUIRE(results.series_of.size() == 2);
  REQUIRE(results.series.size() == 2);
  CHECK(results.series_of[0].size() == 2);
  CHECK(results.series_of[0][0].ended == 1);
  CHECK(results.series_of[0][1].ended == 0);
  CHECK(results.series_of[1][1].by_failure[static_cast<size_t>(Failure::status)] == 1);
  CHECK(results.series[0].latency.us_at(0.5) == doctest::Approx(10'000).epsilon(0.04));
  CHECK(results.series[1].failed == 1);
}

TEST_CASE("collector: very many operations have longer rows, not more memory") {
  Scenario scenario = two_operations();
  scenario.operations.resize(Collector::all_rows_max / 4);
  const Collector collector(scenario, second);
  CHECK(collector.row_seconds() == 4);
  CHECK(collector.series()[0].size() == 5);
}

TEST_CASE("collector: a part has what should have begun in it, whenever it ended") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  collectors[0]->record(ended(second, 9 * second));
  collectors[0]->record(ended(second + 10 * second - ms, ms, Failure::status));
  const Results results = results_of(scenario, collectors);
  CHECK(results.operations[0].part.front().latency.count() == 1);
  CHECK(results.operations[0].part.front().latency.us_at(1) == doctest::Approx(9'000'000).epsilon(0.04));
  CHECK(results.operations[0].part.back().failed == 1);
  CHECK(results.all.part.back().ended == 1);
}

TEST_CASE("collector: progress has recent latencies, lateness and failures by class") {
  const Scenario scenario = two_operations();
  Collector collector(scenario, second);
  collector.lagged(3 * ms);
  collector.record(ended(second, 10 * ms));
  collector.record(ended(second, 10 * ms, Failure::stalled));
  Progress both = collector.progress();
  both.add(collector.progress());
  CHECK(both.begun == 2);
  CHECK(both.failed == 2);
  CHECK(both.by_failure[static_cast<size_t>(Failure::stalled)] == 2);
  CHECK(both.latency_us[Progress::bucket_of(10 * ms)] == 2);
  CHECK(both.lag_us[Progress::bucket_of(3 * ms)] == 2);
}

TEST_CASE("collector: an operation of the warm-up is not counted") {
  Scenario scenario = two_operations();
  scenario.warm_up = Duration(1000);
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  collectors[0]->record(ended(second + 999 * ms, ms));
  collectors[0]->record(ended(2 * second, ms));
  CHECK(collectors[0]->progress().ended == 2);
  CHECK(results_of(scenario, collectors).all.ended == 1);
}

TEST_CASE("collector: who vanished as told is no failure, and what it received counts") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  Outcome gone = ended(second, ms);
  gone.vanished = true;
  collectors[0]->record(gone);
  collectors[0]->record(ended(second, ms));
  const Results results = results_of(scenario, collectors);
  CHECK(results.all.ended == 1);
  CHECK(results.all.vanished == 1);
  CHECK(results.all.failed() == 0);
  CHECK(results.all.bytes_received == 2000);
}

TEST_CASE("results: a generator that was late, or the limit itself, is doubted") {
  const Scenario scenario = two_operations();
  const auto with_lag = [&](int64_t lag_ns, Effort effort, Arrivals::Shape shape) {
    Scenario of = scenario;
    of.arrivals[0].shape = shape;
    std::vector<std::unique_ptr<Collector>> collectors;
    collectors.push_back(std::make_unique<Collector>(of, second));
    for (int i = 0; i < 100; ++i) collectors[0]->lagged(i < 95 ? 0 : lag_ns);
    collectors[0]->record(ended(second, ms));
    return results_of(of, collectors, effort);
  };
  const Effort easy{.cpu_seconds = 1, .elapsed_seconds = 10, .cores = 1};
  const Effort hard{.cpu_seconds = 19.5, .elapsed_seconds = 10, .cores = 2};
  CHECK(with_lag(ms, easy, Arrivals::Shape::poisson).is_valid());
  const Results late = with_lag(20 * ms, easy, Arrivals::Shape::poisson);
  REQUIRE(late.doubts.size() == 1);
  CHECK(late.doubts[0].find("the generator was late") == 0);
  CHECK(with_lag(20 * ms, easy, Arrivals::Shape::closed).is_valid());  // there are no times to be late for
  const Results busy = with_lag(ms, hard, Arrivals::Shape::poisson);
  REQUIRE(busy.doubts.size() == 1);
  CHECK(busy.doubts[0] == "the generator used 98 % of its 2 cores: it was the limit itself");
}

TEST_CASE("results: wants of the generator's own, and nothing at all, are doubted") {
  const Scenario scenario = two_operations();
  std::vector<std::unique_ptr<Collector>> collectors;
  collectors.push_back(std::make_unique<Collector>(scenario, second));
  CHECK(gather(scenario, std::vector<const Collector*>{collectors[0].get()}, {}).doubts ==
        std::vector<std::string>{"no operation was counted"});
  collectors[0]->record(ended(second, ms, Failure::local));
  CHECK(gather(scenario, std::vector<const Collector*>{collectors[0].get()}, {}).doubts.size() == 1);
}

TEST_CASE("fairness: Jain's index") {
  const RunnerCounts quick{.well = 1, .failed = 0, .bytes_received = 1000, .busy_ns = ms};
  const RunnerCounts slow{.well = 1, .failed = 0, .bytes_received = 1000, .busy_ns = 3 * ms};
  CHECK(fairness({}) == 1);
  CHECK(fairness({quick, quick, RunnerCounts{}}) == doctest::Approx(1));
  CHECK(fairness({quick, slow}) == doctest::Approx(0.8));
}

TEST_CASE("outcome: every failure and every phase has a name of its own") {
  const auto are_distinct = [](std::vector<std::string_view> names) {
    std::sort(names.begin(), names.end());
    return std::adjacent_find(names.begin(), names.end()) == names.end();
  };
  std::vector<std::string_view> of_failures, of_phases;
  for (uint8_t each = 0; each < failures; ++each) {
    of_failures.push_back(name(static_cast<Failure>(each)));
    CHECK_FALSE(explain(static_cast<Failure>(each)).empty());
  }
  for (uint8_t each = 0; each < phases; ++each) of_phases.push_back(name(static_cast<Phase>(each)));
  CHECK(are_distinct(of_failures));
  CHECK(are_distinct(of_phases));
}
