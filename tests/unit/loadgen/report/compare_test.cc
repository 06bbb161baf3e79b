// Comparisons of made-up storms of which it is known whether they differ.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "report/compare.h"
#include "report/compare_text.h"
#include "report/json.h"
#include "report/read_json.h"
#include "report/student.h"
#include "unit/loadgen/report/made_up.h"

using namespace breakwater::storm;
using made_up::report_of;
using made_up::Storm;

namespace {

Comparison compared(const Storm& a, const Storm& b) {
  const Report one = report_of(a), other = report_of(b);
  return compare({"a.json", one}, {"b.json", other});
}

const ComparedLine& line_of(const Comparison& comparison, std::string_view operation,
                            std::string_view figure) {
  const auto found = std::ranges::find_if(comparison.lines, [&](const ComparedLine& line) {
    return line.operation == operation && line.figure == figure;
  });
  REQUIRE(found != comparison.lines.end());
  return *found;
}

bool has_remark(const Comparison& comparison, std::string_view begin) {
  return std::ranges::any_of(comparison.remarks,
                             [&](const std::string& remark) { return remark.starts_with(begin); });
}

}  // namespace

TEST_CASE("student: as tables have it") {
  CHECK(student_quantile(0.025, 31) == doctest::Approx(2.0395).epsilon(0.001));
  CHECK(student_quantile(0.025, 7) == doctest::Approx(2.3646).epsilon(0.002));
  CHECK(student_quantile(0.0005, 10) == doctest::Approx(4.587).epsilon(0.005));
  CHECK(student_quantile(0.005, 1'000'000) == doctest::Approx(2.5758).epsilon(0.001));
}

TEST_CASE("compare: what is faster is called faster, with an interval that has the truth in it") {
  const Comparison comparison =
      compared({.seed = 1, .rate = 200}, {.seed = 2, .rate = 200, .latency_ms = 28});
  const ComparedLine& median = line_of(comparison, "clone", "p50 latency");
  CHECK(median.verdict == Verdict::better);
  CHECK(median.low < 0.7);
  CHECK(median.high > 0.7);
  CHECK(median.high < 0.85);
  CHECK(line_of(comparison, "ls-remote", "p99 done").verdict == Verdict::better);
  CHECK(line_of(comparison, "clone", "rate").verdict == Verdict::no_difference);
  CHECK(comparison.count(Verdict::worse) == 0);
  const std::string text = compare_text(comparison);
  CHECK_MESSAGE(text.starts_with("B is faster: clone p50 latency 0."), text);
  CHECK(text.find("and ") != std::string::npos);
}

TEST_CASE("compare: what is slower, and what fails more, is called so") {
  const Comparison comparison =
      compared({.rate = 200, .failing = 0.001}, {.seed = 2, .rate = 200, .latency_ms = 60, .failing = 0.1});
  CHECK(line_of(comparison, "clone", "p50 done").verdict == Verdict::worse);
  const ComparedLine& failed = line_of(comparison, "clone", "failures");
  CHECK(failed.verdict == Verdict::worse);
  CHECK(failed.ratio == doctest::Approx(0.1).epsilon(0.3));
  CHECK(line_of(comparison, "clone", "rate").verdict == Verdict::worse);
  CHECK_MESSAGE(compare_text(comparison).starts_with("B has more failures: clone failures +"),
                compare_text(comparison));
}

TEST_CASE("compare: the same storm twice is no difference, exactly") {
  const Comparison comparison = compared({}, {});
  for (const ComparedLine& line : comparison.lines) {
    CHECK(line.verdict != Verdict::better);
    CHECK(line.verdict != Verdict::worse);
    CHECK(line.a == line.b);
  }
  CHECK(compare_text(comparison).starts_with("no difference that these runs can show\n"));
}

TEST_CASE("compare: of storms that differ by dice alone, hardly any is said to differ") {
  int said = 0;
  constexpr int pairs = 40;
  for (uint64_t i = 0; i < pairs; ++i) {
    // A stall in the third quarter, which both have: it has to cancel out, or at least widen the interval.
    const Storm a{.seed = 100 + i, .rate = 100, .slower_in_the_middle = 4};
    const Storm b{.seed = 1000 + i, .rate = 100, .slower_in_the_middle = 4};
    const Comparison comparison = compared(a, b);
    said += comparison.count(Verdict::better) + comparison.count(Verdict::worse) > 0;
  }
  CHECK_MESSAGE(said <= 5, said << " of " << pairs);
}

TEST_CASE("compare: few operations have no verdict") {
  const Comparison comparison =
      compared({.seconds = 2, .rate = 100}, {.seed = 2, .seconds = 2, .rate = 100, .latency_ms = 400});
  CHECK(line_of(comparison, "clone", "p99 latency").verdict == Verdict::too_few);
  CHECK(line_of(comparison, "clone", "p50 latency").verdict == Verdict::worse);
  const Comparison least = compared({.seconds = 1, .rate = 4}, {.seconds = 1, .rate = 4});
  CHECK(least.count(Verdict::too_few) == least.lines.size());
  CHECK(compare_text(least).starts_with("too few operations to say anything\n"));
}

TEST_CASE("compare: it says what else is not the same") {
  Report a = report_of({}), b = report_of({.operations = {"clone", "push"}});
  b.facts.cpu = "another";
  b.facts.kernel = "7.0";
  b.results.doubts.push_back("the generator was late");
  const Comparison comparison = compare({"a.json", a}, {"b.json", b});
  CHECK(has_remark(comparison, "b.json is INVALID: the generator was late"));
  CHECK(has_remark(comparison, "not the same scenario"));
  CHECK(has_remark(comparison, "not the same CPU"));
  CHECK(has_remark(comparison, "not the same kernel"));
  CHECK(has_remark(comparison, "only a.json has ls-remote"));
  CHECK(has_remark(comparison, "only b.json has push"));
  CHECK_FALSE(has_remark(comparison, "not the same seed"));
  CHECK(line_of(comparison, "clone", "p50 latency").operation == "clone");
}

TEST_CASE("compare: one that was read says the same as one that was made") {
  const Report a = report_of({}), b = report_of({.seed = 3, .latency_ms = 50});
  const Report read_a = read_json_report(json_report(a)).value(),
               read_b = read_json_report(json_report(b)).value();
  CHECK(compare_text(compare({"a", a}, {"b", b})) == compare_text(compare({"a", read_a}, {"b", read_b})));
}
