// Plans: the same from the same seed, and of the shape that they should have.
#include <doctest/doctest.h>

#include <cmath>
#include <set>
#include <vector>

#include "plan/arrivals.h"

using namespace breakwater::storm;
using Shape = Arrivals::Shape;

namespace {

constexpr double second_ns = 1e9;

Scenario of(Arrivals arrivals, int length_s = 100) {
  Scenario scenario;
  scenario.length = Duration(length_s * 1000);
  scenario.runners.count = 10;
  scenario.target.repositories = {"/a.git", "/b.git", "/c.git"};
  scenario.operations.resize(2);
  scenario.operations[0].weight = 3;
  if (arrivals.operations.empty()) arrivals.operations = {0, 1};
  scenario.arrivals.push_back(arrivals);
  return scenario;
}

std::vector<Arrival> plan(const Scenario& scenario) {
  const auto planned = plan_arrivals(scenario);
  REQUIRE(planned);
  return *planned;
}

size_t between(const std::vector<Arrival>& arrivals, double from_s, double to_s) {
  size_t count = 0;
  for (const Arrival& each : arrivals)
    if (static_cast<double>(each.at_ns) >= from_s * second_ns &&
        static_cast<double>(each.at_ns) < to_s * second_ns)
      count++;
  return count;
}

}  // namespace

TEST_CASE("arrivals: one seed makes one plan, and another makes another") {
  Scenario scenario = of({.shape = Shape::poisson, .rate = 20});
  const auto times = [](const std::vector<Arrival>& arrivals) {
    std::vector<int64_t> all;
    for (const Arrival& each : arrivals)
      all.insert(all.end(), {each.at_ns, each.operation, each.repository, each.runner});
    return all;
  };
  const std::vector<int64_t> first = times(plan(scenario));
  CHECK(times(plan(scenario)) == first);
  scenario.seed = 2;
  CHECK(times(plan(scenario)) != first);
}

TEST_CASE("arrivals: a constant rate has equal gaps, and dice choose by weight") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::constant, .rate = 50}));
  REQUIRE(arrivals.size() == 5000);
  CHECK(arrivals[0].at_ns == 10'000'000);
  CHECK(arrivals[4999].at_ns - arrivals[4998].at_ns == 20'000'000);
  size_t first_kind = 0;
  std::set<uint32_t> repositories;
  for (const Arrival& each : arrivals) {
    first_kind += each.operation == 0 ? 1 : 0;
    repositories.insert(each.repository);
  }
  CHECK(first_kind > 3600);
  CHECK(first_kind < 3900);
  CHECK(repositories.size() == 3);
}

TEST_CASE("arrivals: runners take turns") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::constant, .rate = 5}));
  for (size_t i = 0; i + 10 <= arrivals.size(); ++i) {
    std::set<uint32_t> runners;
    for (size_t j = i; j < i + 10; ++j) runners.insert(arrivals[j].runner);
    CHECK(runners.size() == 10);
  }
}

TEST_CASE("arrivals: Poisson's gaps have the mean and the deviation that they should") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::poisson, .rate = 100}));
  CHECK(arrivals.size() > 9600);
  CHECK(arrivals.size() < 10400);
  double sum = 0, squares = 0;
  for (size_t i = 1; i < arrivals.size(); ++i) {
    const double gap = static_cast<double>(arrivals[i].at_ns - arrivals[i - 1].at_ns) / second_ns;
    sum += gap;
    squares += gap * gap;
  }
  const double count = static_cast<double>(arrivals.size() - 1);
  const double mean = sum / count;
  CHECK(mean == doctest::Approx(0.01).epsilon(0.04));
  CHECK(std::sqrt(squares / count - mean * mean) == doctest::Approx(0.01).epsilon(0.05));
}

TEST_CASE("arrivals: a ramp and steps have the integral of their rates") {
  const std::vector<Arrival> ramp = plan(of({.shape = Shape::ramp, .rate = 0, .rate_to = 40}));
  CHECK(ramp.size() == 2000);
  CHECK(between(ramp, 0, 50) == 500);
  const std::vector<Arrival> steps = plan(of({.shape = Shape::step, .rate = 10, .rate_to = 40, .steps = 4}));
  CHECK(steps.size() == 2500);
  CHECK(between(steps, 0, 25) == 250);
  CHECK(between(steps, 25, 50) == 500);
  CHECK(between(steps, 75, 100) == 1000);
}

TEST_CASE("arrivals: a burst is within its window, every time") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::burst,
                                                 .start = Duration(1000),
                                                 .count = 200,
                                                 .window = Duration(2000),
                                                 .every = Duration(60'000)}));
  REQUIRE(arrivals.size() == 400);
  CHECK(between(arrivals, 1, 3) == 200);
  CHECK(between(arrivals, 61, 63) == 200);
  CHECK(between(arrivals, 1, 2) > 70);
}

TEST_CASE("arrivals: those who fetch what was pushed follow that push, in its repository") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::fan_out,
                                                 .operations = {0},
                                                 .count = 30,
                                                 .window = Duration(3000),
                                                 .every = Duration(10'000),
                                                 .push = 1}));
  REQUIRE(arrivals.size() == 310);
  for (size_t i = 0; i < arrivals.size(); ++i) {
    const Arrival& each = arrivals[i];
    if (i % 31 == 0) {
      CHECK(each.operation == 1);
      CHECK(each.follows == Arrival::nobody);
      CHECK(each.at_ns == static_cast<int64_t>(i / 31) * 10'000'000'000);
      continue;
    }
    REQUIRE(each.follows == i / 31 * 31);
    CHECK(each.operation == 0);
    CHECK(each.at_ns < 3'000'000'000);
    CHECK(each.repository == arrivals[each.follows].repository);
  }
}

TEST_CASE("arrivals: a closed loop has each runner's first") {
  const std::vector<Arrival> arrivals = plan(of({.shape = Shape::closed}));
  CHECK(arrivals.size() == 10);
  CHECK(between(arrivals, 0, 0.001) == 10);
}

TEST_CASE("arrivals: too many, and none, are told") {
  CHECK(plan_arrivals(of({.shape = Shape::constant, .rate = 1e6})).error() ==
        "more than 5000000 operations: lower the rate, or make it shorter");
  CHECK(plan_arrivals(of({.shape = Shape::constant, .rate = 0.001})).error() ==
        "no operation would ever begin");
  CHECK(plan_arrivals(of({.shape = Shape::burst, .start = Duration(200'000), .count = 5})).error() ==
        "no operation would ever begin");
}
