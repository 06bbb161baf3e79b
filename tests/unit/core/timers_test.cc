// The timer wheel: never early, at most two ticks late, any distance, any order of arming and disarming.
#include "core/timers.h"

#include <doctest/doctest.h>

#include <deque>

#include "base/rng.h"

using breakwater::Rng;
using breakwater::Timer;
using breakwater::Timers;

namespace {

constexpr int64_t ms = 1'000'000;

struct Fired {
  int64_t due_ns = 0;
  int64_t now_ns = 0;  // as the test turns the clock
  const int64_t* clock = nullptr;
  int times = 0;
  Timer timer{[](void* self) {
                Fired& fired = *static_cast<Fired*>(self);
                fired.times++;
                fired.now_ns = *fired.clock;
              },
              this};
};

}  // namespace

TEST_CASE("a timer fires once, not before it is due") {
  int64_t clock = 1000 * ms;
  Timers timers(clock);
  Fired one;
  one.clock = &clock;
  timers.arm(one.timer, clock + 10 * ms);
  clock += 9 * ms;
  timers.advance(clock);
  CHECK(one.times == 0);
  clock += 9 * ms;
  timers.advance(clock);
  CHECK(one.times == 1);
  clock += 1000 * ms;
  timers.advance(clock);
  CHECK(one.times == 1);
  CHECK(timers.next_ns() == -1);
}

TEST_CASE("a disarmed timer does not fire, a rearmed one fires at its new time") {
  int64_t clock = 0;
  Timers timers(clock);
  Fired gone, moved;
  gone.clock = moved.clock = &clock;
  timers.arm(gone.timer, 50 * ms);
  timers.arm(moved.timer, 50 * ms);
  gone.timer.disarm();
  timers.arm(moved.timer, 5000 * ms);
  clock = 4990 * ms;
  timers.advance(clock);
  CHECK(gone.times == 0);
  CHECK(moved.times == 0);
  clock = 5010 * ms;
  timers.advance(clock);
  CHECK(moved.times == 1);
}

TEST_CASE("random timers are never early and at most two ticks late when the clock follows next_ns") {
  for (uint64_t seed = 1; seed <= 20; seed++) {
    Rng rng(seed);
    int64_t clock = static_cast<int64_t>(rng.next() % 1'000'000) * ms;
    Timers timers(clock);
    std::deque<Fired> all(200);
    for (Fired& one : all) {
      one.clock = &clock;
      const uint64_t spread = uint64_t{1} << (rng.next() % 26);  // up to 18 hours
      one.due_ns = clock + static_cast<int64_t>(rng.next() % spread) * ms;
      timers.arm(one.timer, one.due_ns);
    }
    uint32_t turns = 0;
    while (timers.armed_count() > 0) {
      const int64_t next = timers.next_ns();
      REQUIRE(next > clock);
      clock = next;
      timers.advance(clock);
      REQUIRE(turns++ < 100'000);
    }
    for (const Fired& one : all) {
      CHECK(one.times == 1);
      CHECK(one.now_ns >= one.due_ns);
      CHECK(one.now_ns <= one.due_ns + 2 * Timers::tick_ns);
    }
  }
}

TEST_CASE("a timer may arm itself again from its hook") {
  struct Again {
    Timers* timers = nullptr;
    int times = 0;
    int64_t at = 0;
    Timer timer{[](void* self) {
                  Again& again = *static_cast<Again*>(self);
                  again.times++;
                  again.at += 100 * ms;
                  if (again.times < 10) again.timers->arm(again.timer, again.at);
                },
                this};
  };
  Timers timers(0);
  Again again;
  again.timers = &timers;
  again.at = 100 * ms;
  timers.arm(again.timer, again.at);
  timers.advance(2000 * ms);
  CHECK(again.times == 10);
}
