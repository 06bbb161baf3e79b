// What does a timeout cost that does not fire? Every exchange arms one and disarms it, most often with
// thousands of others armed.
#include <benchmark/benchmark.h>

#include <deque>

#include "allocations.h"
#include "core/timers.h"

using namespace breakwater;

namespace {

constexpr int64_t ms = 1'000'000;

void nothing(void*) {}

void arm_and_disarm(benchmark::State& state) {
  Timers timers(0);
  std::deque<Timer> others;
  for (int64_t count = 0; count < state.range(0); count++)
    timers.arm(others.emplace_back(nothing, nullptr), 1 + count * 7 * ms);
  Timer timer(nothing, nullptr);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    timers.arm(timer, 300'000 * ms);
    timer.disarm();
  }
}
BENCHMARK(arm_and_disarm)->Arg(0)->Arg(10'000);

// A turn of the loop: is anything due, and when is the next?
void turn(benchmark::State& state) {
  Timers timers(0);
  std::deque<Timer> others;
  for (int64_t count = 0; count < 10'000; count++)
    timers.arm(others.emplace_back(nothing, nullptr), (1 << 30) * ms + count * ms);
  int64_t now_ns = 0;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    timers.advance(now_ns += ms / 10);
    benchmark::DoNotOptimize(timers.next_ns());
  }
}
BENCHMARK(turn);

void fire(benchmark::State& state) {
  Timers timers(0);
  Timer timer(nothing, nullptr);
  int64_t now_ns = 0;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    timers.arm(timer, now_ns + 5 * ms);
    timers.advance(now_ns += 6 * ms);
  }
}
BENCHMARK(fire);

}  // namespace

BENCHMARK_MAIN();
