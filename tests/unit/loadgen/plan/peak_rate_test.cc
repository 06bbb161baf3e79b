// What a storm begins within a second at its worst: what a ceiling is compared with.
#include "plan/peak_rate.h"

#include <doctest/doctest.h>

using namespace breakwater::storm;
using Shape = Arrivals::Shape;

namespace {

double peak_of(std::vector<Arrivals> arrivals) {
  Scenario scenario;
  scenario.arrivals = std::move(arrivals);
  return peak_rate(scenario);
}

}  // namespace

TEST_CASE("peak: of one table") {
  CHECK(peak_of({{.rate = 50}}) == 50);
  CHECK(peak_of({{.shape = Shape::ramp, .rate = 1, .rate_to = 20}}) == 20);
  CHECK(peak_of({{.shape = Shape::step, .rate = 30, .rate_to = 20}}) == 30);
  CHECK(peak_of({{.shape = Shape::closed}}) == 0);
  CHECK(peak_of({}) == 0);
}

TEST_CASE("peak: a burst counts by its window, and within a second as a whole") {
  CHECK(peak_of({{.shape = Shape::burst, .count = 2000, .window = Duration(40'000)}}) == 50);
  CHECK(peak_of({{.shape = Shape::burst, .count = 2000, .window = Duration(10)}}) == 2000);
  CHECK(peak_of({{.shape = Shape::burst, .count = 2000}}) == 2000);
  // Three of them at one time.
  CHECK(peak_of(
            {{.shape = Shape::burst, .count = 300, .window = Duration(30'000), .every = Duration(10'000)}}) ==
        30);
  CHECK(peak_of({{.shape = Shape::burst, .count = 5, .every = Duration(100)}}) == 50);
}

TEST_CASE("peak: a push counts like those behind it") {
  CHECK(peak_of({{.shape = Shape::fan_out, .count = 99, .window = Duration(5000)}}) == 20);
}

TEST_CASE("peak: only what may be there at one time is added up") {
  const Arrivals steady{.rate = 10};
  const Arrivals burst{
      .shape = Shape::burst, .start = Duration(5000), .count = 100, .window = Duration(2000)};
  const Arrivals later{.start = Duration(20'000), .rate = 45};
  CHECK(peak_of({steady, burst}) == 60);
  CHECK(peak_of({steady, burst, later}) == 60);
  Arrivals fan_out{.shape = Shape::fan_out, .count = 9};
  CHECK(peak_of({steady, fan_out, later}) == 65);  // nobody knows when its push ends
}
