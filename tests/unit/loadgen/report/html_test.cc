// Pages: what they show, and that nothing foreign in them is more than text.
#include <doctest/doctest.h>

#include <string>

#include "report/compare_page.h"
#include "report/html.h"
#include "report/page.h"
#include "report/plot.h"
#include "unit/loadgen/report/made_up.h"

using namespace breakwater::storm;
using made_up::report_of;

namespace {

constexpr const char* hostile = "<script>alert('a')</script>\"&\xff\xe2\x80\xae";

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// How many elements with this name are opened, and are closed.
bool is_balanced(const std::string& text, const std::string& name) {
  size_t opened = 0, closed = 0;
  for (size_t at = 0; (at = text.find("<" + name, at)) != std::string::npos; ++at)
    opened += text[at + name.size() + 1] == ' ' || text[at + name.size() + 1] == '>';
  for (size_t at = 0; (at = text.find("</" + name + ">", at)) != std::string::npos; ++at) closed++;
  return opened == closed && opened > 0;
}

void check_page(const std::string& text) {
  CHECK(text.starts_with("<!DOCTYPE html>\n"));
  CHECK(has(text, "default-src 'none'"));
  CHECK_FALSE(has(text, "<script"));
  CHECK_FALSE(has(text, "http-equiv=\"refresh"));
  CHECK_FALSE(has(text, "src="));
  CHECK_FALSE(has(text, "href="));
  CHECK_FALSE(has(text, "url("));
  CHECK_FALSE(has(text, "\xff"));
  CHECK_FALSE(has(text, "nan"));
  for (const char* const name : {"html", "main", "section", "table", "tbody", "tr", "td", "svg", "div"})
    CHECK_MESSAGE(is_balanced(text, name), name);
}

}  // namespace

TEST_CASE("page: foreign text is text") {
  CHECK(escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(escaped("sch\u00f6n \u4e2d \U0001f600") == "sch\u00f6n \u4e2d \U0001f600");
  const std::string unknown = "\xef\xbf\xbd";
  CHECK(escaped(std::string_view("\0\x1b\x7f", 3)) == unknown + unknown + unknown);
  CHECK(escaped("\xc2\x85") == unknown);                          // a control character of Latin 1
  CHECK(escaped("\u202e") == unknown);                            // turns what follows
  CHECK(escaped("\xff") == unknown);                              // no UTF-8 at all
  CHECK(escaped("\xc0\xbc") == unknown + unknown);                // a "<" that is longer than it may be
  CHECK(escaped("\xed\xa0\x80") == unknown + unknown + unknown);  // half a pair of UTF-16
  CHECK(escaped("\xf4\x90\x80\x80") == unknown + unknown + unknown + unknown);  // above the last
  CHECK(escaped("\xe2\x82") == unknown + unknown);                              // cut off
}

TEST_CASE("html: a report with all that is foreign in it hostile") {
  Report report = report_of({.seconds = 30, .failing = 0.1, .operations = {hostile, "clone"}});
  report.facts.target = report.facts.repository = report.facts.scenario = report.facts.kernel = hostile;
  report.facts.cpu = report.facts.git = hostile;
  report.results.doubts.push_back(hostile);
  for (std::string& each : report.results.words) each = hostile;
  const std::string text = html_report(report);
  check_page(text);
  CHECK(has(text, "&lt;script&gt;alert(&#39;a&#39;)&lt;/script&gt;"));
  CHECK(has(text, "INVALID"));
  for (const char* const id : {"throughput", "latency", "bytes", "distribution", "histogram", "failures"})
    CHECK_MESSAGE(has(text, "<title id=\"" + std::string(id) + "-t\">"), id);
  CHECK(has(text, "p99.99"));
}

TEST_CASE("html: reports with little in them") {
  check_page(html_report(report_of({.seconds = 1, .rate = 1})));
  check_page(html_report(report_of({.seconds = 3, .failing = 1})));
  const Scenario scenario = made_up::scenario_of({});
  const std::string empty = html_report(
      make_report(scenario, facts_of_this_run(scenario, 0), made_up::results_of({.seconds = 0}, scenario)));
  check_page(empty + "<svg></svg>");
  CHECK(has(empty, "no operation was counted"));
}

TEST_CASE("html: a long storm is no longer a page") {
  CHECK(html_report(report_of({.seconds = 3000, .rate = 5})).size() < 100'000);
}

TEST_CASE("compare page: verdicts, intervals, and nothing that runs") {
  Report a = report_of({.operations = {hostile}}),
         b = report_of({.seed = 2, .latency_ms = 20, .operations = {hostile}});
  b.results.doubts.push_back(hostile);
  const std::string text = compare_page(compare({hostile, a}, {"b.json", b}));
  check_page(text);
  CHECK(has(text, "B is faster: &lt;script&gt;"));
  CHECK(has(text, "class=\"interval\""));
}

TEST_CASE("plot: axes end at round numbers") {
  const auto label = [](double value) { return std::to_string(static_cast<int>(value)); };
  const Axis linear = linear_axis(137, label);
  CHECK(linear.high == doctest::Approx(150));
  CHECK(linear.ticks.size() == 4);
  CHECK(linear_axis(0, label).high > 0);
  const Axis log = log_axis(3, 700, label);
  CHECK(log.low == doctest::Approx(2));
  CHECK(log.high == doctest::Approx(1000));
  CHECK(log.ticks.size() == 9);
  CHECK(log_axis(1, 1e6, label).ticks.size() == 7);
  CHECK(log_axis(5, 5, label).high > 5);
}
