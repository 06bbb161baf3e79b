// Which arrivals are due when, on which core, and what follows a push.
#include "client/schedule.h"

#include <doctest/doctest.h>

#include <set>

using namespace breakwater::storm;

namespace {
std::vector<uint32_t> take_all(Schedule& schedule, int64_t now_ns) {
  std::vector<uint32_t> taken;
  while (const std::optional<DueArrival> due = schedule.take_due(now_ns)) taken.push_back(due->arrival);
  return taken;
}
}  // namespace

TEST_CASE("arrivals are due in the order of their times, each on one core") {
  const std::vector<Arrival> arrivals = {{.at_ns = 30, .runner = 0},
                                         {.at_ns = 10, .runner = 1},
                                         {.at_ns = 20, .runner = 2},
                                         {.at_ns = 10, .runner = 3},
                                         {.at_ns = 20, .runner = 4}};
  const Pushes pushes(arrivals);
  Schedule even(arrivals, pushes, 0, 2, 1000), odd(arrivals, pushes, 1, 2, 1000);
  CHECK(even.next_ns() == 1020);
  CHECK(take_all(even, 1019).empty());
  CHECK(take_all(even, 1020) == std::vector<uint32_t>{2, 4});
  CHECK_FALSE(even.is_over());
  CHECK(take_all(even, 5000) == std::vector<uint32_t>{0});
  CHECK(even.is_over());
  CHECK_FALSE(even.next_ns());
  CHECK(take_all(odd, 5000) == std::vector<uint32_t>{1, 3});
}

TEST_CASE("what follows a push is due so long after its end, and never if it came to nothing") {
  const std::vector<Arrival> arrivals = {{.at_ns = 0, .runner = 0},
                                         {.at_ns = 0, .runner = 2},
                                         {.at_ns = 7, .runner = 4, .follows = 0},
                                         {.at_ns = 5, .runner = 6, .follows = 0},
                                         {.at_ns = 5, .runner = 8, .follows = 1}};
  Pushes pushes(arrivals);
  Schedule schedule(arrivals, pushes, 0, 2, 100);
  CHECK(take_all(schedule, 100) == std::vector<uint32_t>{0, 1});
  CHECK_FALSE(schedule.next_ns());
  CHECK_FALSE(schedule.is_over());
  schedule.look_at_pushes();
  CHECK_FALSE(schedule.next_ns());

  CHECK(pushes.write(0, true, {}, 500));
  CHECK_FALSE(pushes.write(3, true, {}, 500));
  schedule.look_at_pushes();
  CHECK(schedule.next_ns() == 505);
  CHECK(take_all(schedule, 600) == std::vector<uint32_t>{3, 2});
  CHECK_FALSE(schedule.is_over());
  CHECK(pushes.write(1, false, {}, 700));
  schedule.look_at_pushes();
  CHECK(schedule.is_over());
  CHECK(schedule.never_due() == 1);
}
