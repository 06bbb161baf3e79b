// Conditions for CI: what may be said, what may not and where the caret stands, and what they come to.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "report/fail_if.h"
#include "unit/loadgen/report/made_up.h"

using namespace breakwater::storm;

namespace {

const std::vector<std::string> operations = {"clone", "ls-remote", "push [a]", "clone.deep"};

Condition good(std::string_view text) {
  const std::expected<Condition, ConditionError> parsed = parse_condition(text, operations);
  REQUIRE_MESSAGE(parsed.has_value(), text << ": " << (parsed ? "" : parsed.error().sentence));
  return *parsed;
}

// What is known of a run with 100 clones of 1 to 100 ms, of which 4 failed, in 10 seconds.
Report known() {
  Scenario scenario;
  scenario.operations.resize(2);
  scenario.operations[0].name = "clone";
  scenario.operations[1].name = "ls-remote";
  scenario.arrivals.resize(1);
  Collector collector(scenario, 0);
  for (int i = 1; i <= 100; ++i) {
    Outcome outcome;
    outcome.ended_ns = i * int64_t{1'000'000};
    outcome.phase_ns[static_cast<size_t>(Phase::first_byte)] = i * int64_t{500'000};
    outcome.stalls = i == 50 ? 3 : 0;
    if (i > 96) outcome.failure = i == 97 ? Failure::corrupt : Failure::status;
    collector.lagged(i * 10'000);
    collector.record(outcome);
  }
  const Collector* const all[] = {&collector};
  return make_report(scenario, facts_of_this_run(scenario, 100),
                     gather(scenario, all, {.cpu_seconds = 1, .elapsed_seconds = 10, .cores = 1}));
}

}  // namespace

TEST_CASE("fail_if: what a condition means") {
  const Condition ttfb = good("p99.ttfb > 500ms");
  CHECK(ttfb.figure == Condition::Figure::percentile);
  CHECK(ttfb.quantile == doctest::Approx(0.99));
  CHECK(ttfb.latency == "ttfb");
  CHECK(ttfb.comparison == Condition::Comparison::above);
  CHECK(ttfb.value == 500'000);
  const Condition done = good("clone.p99.9.done>=2s");
  CHECK(done.quantile == doctest::Approx(0.999));
  CHECK(done.operation == "clone");
  CHECK(done.comparison == Condition::Comparison::at_least);
  CHECK(done.value == 2'000'000);
  CHECK(good("max.latency < 1m").quantile == 1);
  CHECK(good("p100.latency <= 1.5 s").value == 1'500'000);
  const Condition share = good(" failures > 0.1 % ");
  CHECK(share.is_share);
  CHECK(share.value == doctest::Approx(0.001));
  CHECK(good("ls-remote.failures.timed_out > 0").failure == Failure::timed_out);
  CHECK(good("rate < 120/m").value == doctest::Approx(2));
  CHECK(good("lag.p99 > 5ms").figure == Condition::Figure::lag);
  CHECK(good("fairness < 0.9").value == doctest::Approx(0.9));
  CHECK(good("clone.stalls > 3").operation == "clone");
  CHECK(good("vanished > 3").value == 3);
  CHECK(good("push [a].ended < 3").operation == "push [a]");
  // One operation's name begins with another's.
  CHECK(good("clone.deep.p50.done > 1s").operation == "clone.deep");
  CHECK(good("clone.p50.done > 1s").operation == "clone");
}

TEST_CASE("fail_if: what is no condition, and where it goes wrong") {
  struct Bad {
    std::string_view text;
    size_t at;
    std::string_view sentence;
  };
  const Bad all[] = {
      {"", 0, "a figure comes first"},
      {"p99.tftb > 500ms", 4, "there is no such phase; did you mean ttfb?"},
      {"p99 > 500ms", 3, "a percentile is of something"},
      {"p101.done > 1s", 0, "a percentile is at most 100"},
      {"p.done > 1s", 0, "a figure comes first"},
      {"mox.done > 1s", 0, "a figure comes first"},
      {"failure > 1", 0, "did you mean failures?"},
      {"failures.corupt > 0", 9, "there is no such class of failures; did you mean corrupt?"},
      {"failures.none > 0", 9, "there is no such class"},
      {"failures > 1ms", 12, "failures are counted (3) or a share (0.1%)"},
      {"failures > 101%", 14, "a share is at most 100%"},
      {"clon.p99.done > 1s", 0, "did you mean clone?"},
      {"clone.pp.done > 1s", 6, "a figure comes here"},
      {"clone > 1s", 0, "a figure comes first"},
      {"clone.", 6, "a figure comes here"},
      {"clone.lag.p99 > 1s", 6, "this figure is of the whole run"},
      {"clone.fairness < 1", 6, "this figure is of the whole run"},
      {"lag > 1s", 3, "lag has a percentile"},
      {"p99.done 1s", 9, "a comparison comes here"},
      {"p99.done = 1s", 9, "a comparison comes here"},
      {"p99.done > ", 11, "a number comes here"},
      {"p99.done > -1s", 11, "a number comes here"},
      {"p99.done > 1.2.3s", 11, "a number comes here"},
      {"p99.done > 1", 12, "a time has a unit"},
      {"p99.done > 1h", 12, "a time has a unit"},
      {"rate < 100", 10, "a rate has a unit"},
      {"p99.done > 99999999999999999999999 s", 35, "more than there can be"},
      {"stalls > 1%", 10, "this figure has no unit"},
      {"rate < 100/s and more", 13, "nothing may stand behind the value"},
  };
  for (const Bad& bad : all) {
    CAPTURE(bad.text);
    const std::expected<Condition, ConditionError> parsed = parse_condition(bad.text, operations);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().at == bad.at);
    CHECK_MESSAGE(parsed.error().sentence.find(bad.sentence) != std::string::npos, parsed.error().sentence);
  }
  CHECK(parse_condition(std::string(condition_bytes_max + 1, ' '), operations).error().at ==
        condition_bytes_max);
  CHECK(parse_condition("p99.tftb > 500ms", operations).error().shown() ==
        "there is no such phase; did you mean ttfb?\n  p99.tftb > 500ms\n      ^\n");
}

TEST_CASE("fail_if: what a condition comes to") {
  const Report report = known();
  struct Judged {
    std::string_view text;
    bool is_met;
    std::string_view is;
  };
  const Judged all[] = {
      {"p50.latency > 40ms", true, "it is 48.1 ms, and so above 40.0 ms"},
      {"p50.latency > 50ms", false, "it is 48.1 ms, and so not above 50.0 ms"},
      {"max.latency >= 96ms", true, "at least 96.0 ms"},
      {"max.latency > 96ms", false, "not above"},
      {"clone.max.ttfb < 100ms", true, "below"},
      {"failures > 3%", true, "it is 4.000 %"},
      {"failures >= 4%", true, "at least"},
      {"failures > 4", false, "it is 4, and so not above 4"},
      {"failures.corrupt > 0", true, "it is 1"},
      {"failures.truncated > 0", false, "it is 0"},
      {"ls-remote.failures > 0", false, "it is 0"},
      {"rate < 9.7/s", true, "it is 9.60/s"},
      {"rate <= 576/m", true, "at most 9.60/s"},
      {"stalls > 2", true, "it is 3"},
      {"clone.ended < 101", true, "it is 100, and so below 101"},
      {"lag.p99 > 5ms", false, "it is 991 us"},
      {"lag.max > 900us", true, "above 900 us"},
      {"fairness < 0.5", false, "it is 1.000"},
      // Nothing got as far: that must not pass.
      {"p99.tls > 1s", true, "nothing was counted"},
      {"ls-remote.p99.latency > 1s", true, "nothing was counted"},
  };
  for (const Judged& each : all) {
    CAPTURE(each.text);
    const Judgement judgement = judge(*parse_condition(each.text, report.operations), report);
    CHECK(judgement.is_met == each.is_met);
    CHECK_MESSAGE(judgement.sentence.find(each.is) != std::string::npos, judgement.sentence);
  }
}
