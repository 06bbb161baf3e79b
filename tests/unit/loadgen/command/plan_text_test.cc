// What is said of a storm before it begins.
#include "command/plan_text.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "plan/arrivals.h"

using namespace breakwater::storm;

namespace {

Scenario two_operations() {
  Scenario scenario;
  scenario.length = Duration(3000);
  scenario.runners.count = 2;
  scenario.target.host = "::1";
  scenario.target.repositories = {"/a.git"};
  scenario.operations = {{.name = "push", .verb = Verb::push}, {.name = "job", .verb = Verb::fetch_object}};
  return scenario;
}

}  // namespace

TEST_CASE("plan text: how many, when, and the first of them") {
  Scenario scenario = two_operations();
  scenario.arrivals = {
      {.name = "hook", .shape = Arrivals::Shape::fan_out, .operations = {1}, .count = 1, .push = 0},
      {.name = "steady", .operations = {1}, .rate = 2}};
  const auto arrivals = plan_arrivals(scenario);
  REQUIRE(arrivals);
  const std::string text = plan_text(scenario, *arrivals);
  const std::string expected =
      "8 operations of 2 runners, seed 1\n"
      "  push                1\n"
      "  job                 7\n"
      "     0 s      3 ##################################################\n"
      "     1 s      2 #################################\n"
      "     2 s      2 #################################\n"
      "the first of them\n"
      "       0.000 s push                 /a.git runner ";
  CHECK(text.substr(0, expected.size()) == expected);
  CHECK(text.find("       0.000 s job                  /a.git runner ") != std::string::npos);
  CHECK(text.find(", so long after the push\n       0.250 s job ") != std::string::npos);
  CHECK(plan_in_a_line(scenario, *arrivals) ==
        "8 operations of 2 runners in 3s, up to 4/s, 1 repository at http://[::1]:80, seed 1\n");
}

TEST_CASE("plan text: a long one has few rows, and none is left out") {
  Scenario scenario = two_operations();
  scenario.length = Duration(1'000'000);
  scenario.arrivals = {{.name = "steady", .operations = {0}, .rate = 3}};
  const auto arrivals = plan_arrivals(scenario);
  REQUIRE(arrivals);
  const std::string text = plan_text(scenario, *arrivals);
  CHECK(text.find("\n     0 s     51 ####") != std::string::npos);
  CHECK(text.find("\n    17 s     51 ####") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '#') == 50 * 58 + 50 * 42 / 51);
}

TEST_CASE("plan text: of a closed loop it is said that the others have no times") {
  Scenario scenario = two_operations();
  scenario.arrivals = {{.name = "loop", .shape = Arrivals::Shape::closed, .operations = {1}}};
  const auto arrivals = plan_arrivals(scenario);
  REQUIRE(arrivals);
  CHECK(plan_text(scenario, *arrivals).find("of a closed loop only the first of each runner") !=
        std::string::npos);
  CHECK(plan_in_a_line(scenario, *arrivals) ==
        "a closed loop after the first 2 operations of 2 runners in 3s, 1 repository at http://[::1]:80, "
        "seed 1\n");
}
