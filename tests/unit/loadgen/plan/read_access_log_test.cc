// Access logs as operations: which requests are one command, when it began, and what a plan makes of it.
#include "plan/read_access_log.h"

#include <doctest/doctest.h>

#include "plan/arrivals.h"
#include "plan/peak_rate.h"

using namespace breakwater::storm;
using Kind = LoggedOperation::Kind;

namespace {

// Ended at 08:00 and so many seconds, after so many milliseconds.
std::string line(const char* ended, const char* ms, const char* client, const char* git, int protocol = 2,
                 int status = 200, const char* repository = "team/app") {
  return std::string("{\"time\":\"2026-11-27T08:00:") + ended + "Z\",\"client\":\"" + client +
         "\",\"path\":\"/" + repository + ".git/info/refs\",\"git\":\"" + git +
         "\",\"git_protocol\":" + std::to_string(protocol) + ",\"repository\":\"" + repository +
         "\",\"status\":" + std::to_string(status) + ",\"total_ms\":" + ms + "}";
}

AccessLog read(const std::vector<std::string>& lines) {
  AccessLogReader reader;
  for (const std::string& each : lines) CHECK_MESSAGE(reader.add(each), each);
  return reader.finish();
}

std::vector<Kind> kinds_of(const std::vector<std::string>& lines) {
  std::vector<Kind> kinds;
  for (const LoggedOperation& each : read(lines).operations) kinds.push_back(each.kind);
  return kinds;
}

}  // namespace

TEST_CASE("access log: by version 2 the second POST fetches, by the others the first") {
  const std::string refs2 = line("01.000000", "1.000", "1:1", "info/refs upload-pack");
  const std::string post2 = line("02.000000", "1.000", "1:1", "upload-pack");
  CHECK(kinds_of({refs2}) == std::vector{Kind::list});
  CHECK(kinds_of({refs2, post2}) == std::vector{Kind::list});
  CHECK(kinds_of({refs2, post2, post2}) == std::vector{Kind::fetch});
  const std::string refs0 = line("01.000000", "1.000", "1:1", "info/refs upload-pack", 0);
  const std::string post0 = line("02.000000", "1.000", "1:1", "upload-pack", 0);
  CHECK(kinds_of({refs0}) == std::vector{Kind::list});
  CHECK(kinds_of({refs0, post0}) == std::vector{Kind::fetch});
}

TEST_CASE("access log: a push has pushed, a dumb client reads info/refs, and the rest is left out") {
  const std::string refs = line("01.000000", "1.000", "1:1", "info/refs receive-pack", 0);
  CHECK(kinds_of({refs}).empty());
  CHECK(kinds_of({refs, line("02.000000", "1.000", "1:1", "receive-pack", 0)}) == std::vector{Kind::push});
  CHECK(kinds_of({line("01.000000", "1.000", "1:1", "dumb", 0)}) == std::vector{Kind::dumb});
  CHECK(kinds_of({line("01.000000", "1.000", "1:1", "lfs"), line("01.000000", "1.000", "1:1", "upload-pack"),
                  "{\"time\":\"2026-11-27T08:00:01.000000Z\",\"event\":\"admin\"}",
                  "{\"time\":\"2026-11-27T08:00:01.000000Z\",\"client\":\"1:1\",\"total_ms\":1.0}"})
            .empty());
}

TEST_CASE("access log: a 401 begins nothing, and commands of one connection follow each other") {
  const std::string refused = line("01.000000", "1.000", "1:1", "info/refs upload-pack", 2, 401);
  const std::string refs = line("02.000000", "1.000", "1:1", "info/refs upload-pack");
  const std::string post = line("03.000000", "1.000", "1:1", "upload-pack");
  CHECK(kinds_of({refused, refs, post, post, refs, post}) == std::vector{Kind::list, Kind::fetch});
}

TEST_CASE(
    "access log: a command begins when its first request did, across midnight and by other connections") {
  const AccessLog log = read({line("10.500000", "500.000", "1:1", "info/refs upload-pack", 2, 200, "b/b"),
                              line("09.000000", "0.250", "2:2", "info/refs upload-pack", 2, 200, "a/a"),
                              line("11.000000", "0.000", "1:1", "upload-pack")});
  REQUIRE(log.operations.size() == 2);
  CHECK(log.operations[0] == LoggedOperation{0, Kind::list, 1});
  CHECK(log.operations[1] == LoggedOperation{1'000'250, Kind::list, 0});
  CHECK(log.repositories == std::vector<std::string>{"b/b", "a/a"});
  AccessLogReader reader;
  CHECK(reader.add(
      R"({"time":"2027-12-31T23:59:59.000000Z","client":"1","git":"info/refs upload-pack","total_ms":0})"));
  CHECK(reader.add(
      R"({"time":"2028-01-01T00:00:01.000000Z","client":"2","git":"info/refs upload-pack","total_ms":0})"));
  CHECK(reader.add(
      R"({"time":"2028-03-01T00:00:01.000000Z","client":"3","git":"info/refs upload-pack","total_ms":0})"));
  const AccessLog years = reader.finish();
  CHECK(years.operations[1].at_us == 2'000'000);
  CHECK(years.operations[2].at_us ==
        2'000'000 + int64_t{60} * 86400 * 1'000'000);  // 2028 has a 29th of February
}

TEST_CASE("access log: what is no line of one is said to be none") {
  AccessLogReader reader;
  for (const char* const text :
       {"", "{", "[]", "7", "{}", R"({"time":"yesterday","client":"1","total_ms":0})",
        R"({"time":"2026-13-27T08:00:00.000000Z","client":"1","total_ms":0})",
        R"({"time":"2026-11-27T08:00:00.00000aZ","client":"1","total_ms":0})",
        R"({"time":"2026-11-27T08:00:00.000000Z","client":"1"})",
        R"({"time":"2026-11-27T08:00:00.000000Z","total_ms":0})",
        R"({"time":"2026-11-27T08:00:00.000000Z","client":"1","total_ms":-1})",
        R"({"time":"2026-11-27T08:00:00.000000Z","client":"1","total_ms":1e300})"})
    CHECK_FALSE_MESSAGE(reader.add(text), text);
  CHECK(reader.finish().operations.empty());
}

TEST_CASE("replay: each command becomes an operation that suits it, faster if asked, in its repository") {
  Scenario scenario;
  scenario.runners.count = 3;
  scenario.target.repositories = {"/x/other.git", "/team/app.git"};
  scenario.operations = {{.name = "poll", .verb = Verb::ls_remote}, {.name = "clone", .verb = Verb::clone}};
  Arrivals replay{
      .name = "day", .shape = Arrivals::Shape::replay, .operations = {0, 1}, .start = Duration(1000)};
  replay.log = {.operations = {{0, Kind::fetch, 0}, {2'000'000, Kind::list, 1}, {3'000'000, Kind::push, 0}},
                .repositories = {"team/app", "unknown/one"}};
  replay.speed_percent = 200;
  scenario.arrivals = {replay};
  const auto arrivals = plan_arrivals(scenario);
  REQUIRE_MESSAGE(arrivals, arrivals.error());
  REQUIRE(arrivals->size() == 2);  // nothing here pushes
  CHECK((*arrivals)[0].at_ns == 1'000'000'000);
  CHECK((*arrivals)[0].operation == 1);
  CHECK((*arrivals)[0].repository == 1);
  CHECK((*arrivals)[1].at_ns == 2'000'000'000);
  CHECK((*arrivals)[1].operation == 0);
  scenario.length = Duration(2000);
  CHECK(plan_arrivals(scenario)->size() == 1);
}

TEST_CASE("replay: at its worst a log begins what it has within a second, at its speed") {
  Scenario scenario;
  Arrivals replay{.shape = Arrivals::Shape::replay};
  replay.log.operations = {
      {0, Kind::list, 0}, {900'000, Kind::list, 0}, {1'100'000, Kind::list, 0}, {1'200'000, Kind::list, 0}};
  scenario.arrivals = {replay};
  CHECK(peak_rate(scenario) == 3);
  scenario.arrivals[0].speed_percent = 200;
  CHECK(peak_rate(scenario) == 4);
  scenario.arrivals[0].speed_percent = 10;
  CHECK(peak_rate(scenario) == 1);
}
