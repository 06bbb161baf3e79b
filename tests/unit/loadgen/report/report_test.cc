// Reports of made-up results.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "report/csv.h"
#include "report/html.h"
#include "report/interval_log.h"
#include "report/json.h"
#include "report/read_json.h"
#include "report/summary.h"
#include "unit/loadgen/report/made_up.h"

using namespace breakwater::storm;

using made_up::report_of;
using made_up::Storm;

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
  Report report = report_of({.seconds = 10, .rate = 10});
  const std::string text = summary(report);
  CHECK(text.starts_with("valid: stormgen "));
  CHECK(text.find("at http://127.0.0.1:3000, open loop") != std::string::npos);
  CHECK(text.find("clone: 50 ended, 5.00/s, ") != std::string::npos);
  CHECK(text.find("p99.99") != std::string::npos);
  CHECK(text.find("canary") == std::string::npos);
  report.results.doubts.push_back("the generator was late");
  CHECK(summary(report).starts_with("INVALID: the generator was late\n"));
}

TEST_CASE("report: what git's own processes send was not measured, and was said to be nothing") {
  Report report = report_of({.seconds = 10, .rate = 10});
  CHECK(summary(report).find(" received, ") != std::string::npos);
  CHECK(summary(report).find("not measured") == std::string::npos);
  CHECK(html_report(report).find("not measured") == std::string::npos);
  report.facts.driver = "git";
  CHECK(summary(report).find("\n    bytes, requests and connections: not measured (they are git's own)\n") !=
        std::string::npos);
  CHECK(summary(report).find(" received, ") == std::string::npos);
  CHECK(summary(report).find("fairness between runners: not measured\n") != std::string::npos);
  CHECK(html_report(report).find("<b>not measured</b>") != std::string::npos);
  CHECK(html_report(report).find("Bytes received a second") == std::string::npos);
  Progress progress;
  progress.begun = 3;
  CHECK(progress_line(progress, 2) == "   2 s: 3 begun, 0 ended, 0 failed");
  progress.bytes_received = 5000;
  CHECK(progress_line(progress, 2) == "   2 s: 3 begun, 0 ended, 0 failed, 5.0 kB");
}

TEST_CASE("report: JSON has what the summary has, and bytes that are no UTF-8 do not break it") {
  const Report made = report_of({.seconds = 10, .failing = 0.2});
  const std::string text = json_report(made);
  const nlohmann::json report = nlohmann::json::parse(text);
  CHECK(report["schema"] == 1);
  CHECK(report["valid"] == true);
  CHECK(report["run"]["loop"] == "open");
  CHECK(report["operations"]["clone"]["ended"] == 500);
  const uint64_t failed = made.results.operations[0].failed();
  CHECK(failed > 50);
  CHECK(report["operations"]["clone"]["failed"] == failed);
  CHECK(report["operations"]["clone"]["latency"]["count"] == 500 - failed);
  CHECK(report["operations"]["clone"]["parts"].size() == 32);
  CHECK(report["series"]["rows"].size() == 11);
  CHECK(text.find("canary") == std::string::npos);
}

TEST_CASE("report: what JSON says is read again, all of it") {
  for (const Storm& storm : {Storm{}, Storm{.seconds = 0.5, .failing = 1},
                             Storm{.operations = {"z", "a \"quoted\" one", "m"}, .has_tls = true}}) {
    const std::string text = json_report(report_of(storm));
    const std::expected<Report, std::string> read = read_json_report(text);
    REQUIRE_MESSAGE(read.has_value(), (read ? std::string() : read.error()));
    CHECK(json_report(*read) == text);
    CHECK(read->operations == storm.operations);
  }
}

namespace {

// Why the report is refused with this change.
std::string refused(void (*change)(nlohmann::ordered_json&)) {
  nlohmann::ordered_json json = nlohmann::ordered_json::parse(json_report(report_of({.seconds = 2})));
  change(json);
  const std::expected<Report, std::string> read = read_json_report(json.dump());
  return read ? "read" : read.error();
}

}  // namespace

TEST_CASE("report: JSON that is not all there, or not sound, is refused, and the sentence says where") {
  using Json = nlohmann::ordered_json;
  CHECK(refused([](Json&) {}) == "read");
  CHECK(refused([](Json& json) { json["later"] = 1; }) == "read");
  CHECK(refused([](Json& json) { json["schema"] = 2; }) == "its schema is 2, and this program reads 1");
  CHECK(refused([](Json& json) { json.erase("run"); }) == "run is missing");
  CHECK(refused([](Json& json) { json["run"]["cpus"] = -1; }) ==
        "run.cpus is no whole number from 0 to 4294967295");
  CHECK(refused([](Json& json) { json["run"]["kernel"] = 6; }).starts_with("run.kernel is no text"));
  CHECK(refused([](Json& json) { json["run"]["kernel"] = "\x1b[2J"; }) == "run.kernel has control bytes");
  CHECK(refused([](Json& json) { json["operations"]["\x1b]0;"] = json["operations"]["clone"]; }) ==
        "an operation's name has control bytes");
  CHECK(refused([](Json& json) { json["operations"]["clone"].erase("stalls"); }) ==
        "operations.clone.stalls is missing");
  CHECK(refused([](Json& json) { json["operations"]["clone"]["parts"].erase(3); }) ==
        "operations.clone.parts are not 32");
  CHECK(refused([](Json& json) { json["operations"]["clone"]["latency"]["count"] = 7; }) ==
        "operations.clone.latency.hdr does not go with its count and max_us");
  CHECK(refused([](Json& json) { json["operations"]["clone"]["latency"]["max_us"] = 1; }) ==
        "operations.clone.latency.hdr does not go with its count and max_us");
  CHECK(refused([](Json& json) { json["operations"]["clone"]["phases"]["lunch"] = 1; }) ==
        "operations.clone.phases.lunch is nothing that this program knows");
  CHECK(refused([](Json& json) { json["all"]["failed"] = 1'000'000; }) ==
        "all.failures does not go with what ended and failed");
  CHECK(refused([](Json& json) { json["series"]["rows"][0]["latency"] = "!"; }) ==
        "series.rows[0].latency is no histogram of this program's");
  CHECK(refused([](Json& json) { json["series"]["row_seconds"] = 0; }) == "series.row_seconds is 0");
  const std::string text = json_report(report_of({.seconds = 2}));
  CHECK(read_json_report(text.substr(0, text.size() / 2)).error().starts_with("it is no JSON: "));
  CHECK(read_json_report("{\"schema\": 1, \"schema\": 1}").error() == "the key schema comes twice");
  CHECK(read_json_report(std::string(100'000, '[')).error() == "it is nested too deeply");
  CHECK(read_json_report("[]").error() == "it is no object");
  CHECK(read_json_report(std::string(report_bytes_max + 1, ' ')).error() == "it has more than 64 MiB");
}

TEST_CASE("report: CSV has a line for each second and operation, as many fields in each") {
  const Report report = report_of({.seconds = 5, .failing = 0.5});
  const std::string text = csv_report(report);
  CHECK(text.starts_with(
      "second,operation,begun,ended,failed,bytes_received,bytes_sent,latency_mean_us,latency_p50_us,"));
  size_t lines = 0, begin = 0, fields = 0;
  for (size_t end; (end = text.find("\r\n", begin)) != std::string::npos; begin = end + 2, ++lines) {
    const auto commas = std::count(text.begin() + static_cast<ptrdiff_t>(begin),
                                   text.begin() + static_cast<ptrdiff_t>(end), ',');
    if (lines == 0) fields = static_cast<size_t>(commas);
    CHECK(static_cast<size_t>(commas) == fields);
  }
  CHECK(begin == text.size());
  CHECK(lines == report.results.series.size() * report.operations.size() + 1);
}

TEST_CASE("report: a second without success has no latency in CSV") {
  const std::string text = csv_report(report_of({.seconds = 1, .rate = 10, .failing = 1}));
  const size_t row = text.find("\r\n0,clone,");
  REQUIRE(row != std::string::npos);
  CHECK(text.substr(row, text.find("\r\n", row + 2) - row).find(",,,,,") != std::string::npos);
}

TEST_CASE("report: an interval log has a histogram for each second") {
  const Report report = report_of({.seconds = 3});
  const std::string text = interval_log(report);
  CHECK(text.find("#[Histogram log format version 1.3]\n") != std::string::npos);
  CHECK(text.find("#[StartTime: 1795730400.000 (seconds since epoch), 2026-11-26T22:00:00Z]\n") !=
        std::string::npos);
  CHECK(text.find("\n2.000,1.000,") != std::string::npos);
}

TEST_CASE("report: the hash is of what is done, not of the dice") {
  Scenario scenario = made_up::scenario_of({});
  const std::string hash = hash_of(scenario);
  scenario.seed = 77;
  CHECK(hash_of(scenario) == hash);
  scenario.operations[0].depth = 1;
  CHECK(hash_of(scenario) != hash);
}
