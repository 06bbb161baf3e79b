// A limit that finds itself, against simulated servers whose answers slow down under load.
#include "backends/adaptive.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <thread>
#include <vector>

using namespace breakwater;
using namespace breakwater::backends;

namespace {

constexpr int64_t ms = 1'000'000;
constexpr int64_t second = 1'000 * ms;

// Clients that want `demand` operations at a time of servers that can do `capacity` at their best speed; with
// more each takes so much longer.
struct Load {
  Adaptive& adaptive;
  uint32_t demand = 0;
  uint32_t capacity = 0;
  int64_t best_ns = 100 * ms;
  Work work = Work::pack;
  int64_t now_ns = second;
  uint32_t least = UINT32_MAX, most = 0;  // the limit, in the last run

  void run(int64_t for_ns) {
    constexpr int64_t step_ns = 10 * ms;
    double answers = 0;
    least = UINT32_MAX;
    most = 0;
    for (const int64_t end_ns = now_ns + for_ns; now_ns < end_ns; now_ns += step_ns) {
      const uint32_t limit = adaptive.limit();
      const uint32_t inside = std::min(demand, limit);
      if (demand >= limit) adaptive.reached();
      const double slowdown = std::max(1.0, static_cast<double>(inside) / capacity);
      const int64_t wait_ns = static_cast<int64_t>(static_cast<double>(best_ns) * slowdown);
      answers += static_cast<double>(inside * step_ns) / static_cast<double>(wait_ns);
      while (answers >= 1) {
        adaptive.heard(work, wait_ns, now_ns);
        answers--;
      }
      least = std::min(least, adaptive.limit());
      most = std::max(most, adaptive.limit());
    }
  }
};

// One window of so many waits; the last of them ends it.
void window(Adaptive& adaptive, int64_t& now_ns, uint32_t waits, int64_t wait_ns, Work work = Work::pack) {
  now_ns += Adaptive::window_ns;
  for (uint32_t count = 0; count + 1 < waits; count++) adaptive.heard(work, wait_ns, now_ns - ms);
  adaptive.heard(work, wait_ns, now_ns);
}

// Windows of so many packs that come in 10 ms, so that it is at its ceiling. Returns the time.
int64_t rise(Adaptive& adaptive, uint32_t waits) {
  int64_t now = second;
  adaptive.heard(Work::other, 0, now);  // a window begins
  for (int count = 0; count < 60; count++) {
    adaptive.reached();
    window(adaptive, now, waits, 10 * ms);
  }
  return now;
}

}  // namespace

TEST_CASE("adaptive: it begins at its floor and rises to its ceiling while it is used, and no further") {
  Adaptive adaptive(10, 320);
  Load load{.adaptive = adaptive, .demand = 1000, .capacity = 10'000};
  CHECK(adaptive.limit() == 10);
  load.run(5 * second);
  CHECK(adaptive.limit() > 40);
  CHECK(adaptive.limit() <= 60);  // ten a second
  load.run(60 * second);
  CHECK(adaptive.limit() == 320);
  CHECK(load.most == 320);
}

TEST_CASE("adaptive: it does not rise while it is not reached") {
  Adaptive adaptive(10, 320);
  Load load{.adaptive = adaptive, .demand = 9, .capacity = 10'000};
  load.run(60 * second);
  CHECK(adaptive.limit() == 10);
  load.demand = 50;
  load.run(60 * second);
  CHECK(adaptive.limit() > 50);
  CHECK(adaptive.limit() <= 60);  // as far as it was reached, and one step
}

TEST_CASE("adaptive: it finds what the servers can do, and stays there however long the storm lasts") {
  Adaptive adaptive(10, 320);
  Load load{.adaptive = adaptive, .demand = 1000, .capacity = 40};
  load.run(60 * second);
  for (int hour = 0; hour < 3; hour++) {
    load.run(3600 * second);
    CHECK(load.least > 40);
    CHECK(load.most < 120);  // 2.2 times the capacity is where answers become slow, and a step more
  }
}

TEST_CASE("adaptive: servers that get slower are given less, at once and once a window, and recover") {
  Adaptive adaptive(10, 320);
  Load load{.adaptive = adaptive, .demand = 1000, .capacity = 100};
  load.run(120 * second);
  const uint32_t before = adaptive.limit();
  CHECK(before > 100);
  load.capacity = 10;
  load.run(60 * second);
  CHECK(load.least <= 40);
  load.capacity = 100;
  load.run(120 * second);
  CHECK(load.most > 100);
  CHECK(load.most < 320);
}

TEST_CASE("adaptive: one that is slow with whatever little load is soon what is usual") {
  Adaptive adaptive(10, 320);
  Load load{.adaptive = adaptive, .demand = 1000, .capacity = 100};
  load.run(120 * second);
  load.best_ns = 2 * second;  // other repositories
  load.run(60 * second);
  CHECK(load.least == 10);
  load.run(240 * second);
  CHECK(2 * adaptive.usual_us(Work::pack) + 20'000 > 2'000'000);
  CHECK(load.most > 100);
}

TEST_CASE("adaptive: it decreases at most once in a window, and never below its floor") {
  Adaptive adaptive(10, 100);
  int64_t now = rise(adaptive, 10);
  CHECK(adaptive.limit() == 100);
  window(adaptive, now, 10, 500 * ms);
  CHECK(adaptive.limit() == 75);
  for (int count = 0; count < 100; count++) adaptive.heard(Work::pack, 500 * ms, now + count);
  CHECK(adaptive.limit() == 75);
  // Asked for before it decreased: they say nothing of the new limit.
  now += 2 * second;
  for (int count = 0; count < 100; count++) adaptive.heard(Work::pack, 3 * second, now);
  CHECK(adaptive.limit() == 75);
  for (int count = 0; count < 30; count++) window(adaptive, now, 10, 900 * ms);
  CHECK(adaptive.limit() == 10);
}

TEST_CASE("adaptive: a lone outlier changes nothing, nor do a few") {
  Adaptive adaptive(10, 100);
  int64_t now = rise(adaptive, 10);
  for (int count = 0; count < 100; count++) {
    now += Adaptive::window_ns;
    adaptive.heard(Work::pack, 600 * second, now - ms);  // (asked for before anything was decreased)
    for (int slow = 0; slow < 3; slow++) adaptive.heard(Work::pack, 500 * ms, now - ms);
    for (int fast = 0; fast < 5; fast++) adaptive.heard(Work::pack, 10 * ms, now - ms);
    adaptive.heard(Work::pack, 10 * ms, now);
    CHECK(adaptive.limit() == 100);
  }
  CHECK(adaptive.usual_us(Work::pack) == 10'000);
  adaptive.heard(Work::pack, 500 * ms, now + second);  // alone in its window: too few to be judged
  adaptive.heard(Work::pack, 500 * ms, now + 2 * second);
  CHECK(adaptive.limit() == 100);
}

TEST_CASE("adaptive: each class of work by its own measure, and pages by none") {
  Adaptive adaptive(10, 100);
  int64_t now = second;
  adaptive.heard(Work::other, 0, now);  // a window begins
  const auto both = [&](int64_t refs_ns, int64_t pack_ns) {
    for (int count = 0; count < 10; count++) adaptive.heard(Work::advertise, refs_ns, now);
    adaptive.reached();
    window(adaptive, now, 10, pack_ns);
  };
  for (int count = 0; count < 60; count++) both(10 * ms, second);
  CHECK(adaptive.limit() == 100);
  both(second, second);  // slow refs, and packs as ever
  CHECK(adaptive.limit() == 75);
  for (int count = 0; count < 60; count++) {
    for (int page = 0; page < 100; page++) adaptive.heard(Work::other, 60 * second, now);
    both(10 * ms, second);
  }
  CHECK(adaptive.limit() == 100);
  CHECK(adaptive.usual_us(Work::other) == 0);
}

// Waits that are longer than a window say late what a decrease has done; refs that are well don't know it.
TEST_CASE("adaptive: after a decrease it does not rise before the class that was slow is heard of again") {
  Adaptive adaptive(10, 100);
  int64_t now = rise(adaptive, 10);
  window(adaptive, now, 10, 500 * ms);
  CHECK(adaptive.limit() == 75);
  for (int count = 0; count < 10; count++) {
    adaptive.reached();
    window(adaptive, now, 10, 60 * second);  // asked for before
    window(adaptive, now, 10, 10 * ms, Work::advertise);
  }
  CHECK(adaptive.limit() == 75);
  adaptive.reached();
  window(adaptive, now, 10, 10 * ms);
  CHECK(adaptive.limit() == 78);
  window(adaptive, now, 10, 500 * ms);
  CHECK(adaptive.limit() == 59);
  now += Adaptive::silence_ns;  // no packs any more
  adaptive.heard(Work::other, 0, now);
  adaptive.reached();
  window(adaptive, now, 10, 10 * ms, Work::advertise);
  CHECK(adaptive.limit() == 62);
}

TEST_CASE("adaptive: a pool with little work is judged when it has enough to say") {
  Adaptive adaptive(10, 100);
  int64_t now = rise(adaptive, 5);
  CHECK(adaptive.limit() == 100);
  for (uint32_t count = 0; count < 4; count++) window(adaptive, now, 1, 500 * ms);
  CHECK(adaptive.limit() == 100);
  window(adaptive, now, 1, 500 * ms);
  CHECK(adaptive.limit() == 75);
}

TEST_CASE("adaptive: never out of its bounds, whatever cores say at once") {
  Adaptive adaptive(3, 50);
  std::atomic<bool> left{false};
  const auto core = [&](uint32_t index) {
    for (int64_t turn = 0; turn < 40'000; turn++) {
      adaptive.reached();
      const bool slow = turn / 5'000 % 2 == 1;
      adaptive.heard(Work::advertise, (slow ? 900 : 1) * ms, second + turn * 100 * ms + index);
      const uint32_t limit = adaptive.limit();
      if (limit < 3 || limit > 50) left = true;
    }
  };
  std::vector<std::thread> cores;
  for (uint32_t index = 0; index < 4; index++) cores.emplace_back(core, index);
  for (std::thread& each : cores) each.join();
  CHECK_FALSE(left);
}
