// What does a coroutine cost? A request is a handful of them, one inside the other, with frames of up to ten
// kilobytes; what waits for another is woken by a signal.
#include <benchmark/benchmark.h>

#include <coroutine>

#include "allocations.h"
#include "core/await.h"
#include "coro/frame_pool.h"
#include "coro/scope.h"
#include "coro/task.h"
#include "world.h"

using namespace breakwater;

namespace {

Task<int> ready() {
  co_return 1;
}

// Goes on when it is told to.
struct Pause {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

Task<int> paused(Pause& pause) {
  co_await pause;
  co_return 1;
}

// Every loop runs in a coroutine, and its first round, which is not measured, has its frames from the
// allocator.
Task<void> call_ready(benchmark::State& state) {
  const int first = co_await ready();
  benchmark::DoNotOptimize(first);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const int result = co_await ready();
    benchmark::DoNotOptimize(result);
  }
}

void call_that_does_not_suspend(benchmark::State& state) {
  Scope scope;
  scope.spawn(call_ready(state));
}
BENCHMARK(call_that_does_not_suspend);

Task<void> call_paused(benchmark::State& state, Pause& pause) {
  const int first = co_await paused(pause);
  benchmark::DoNotOptimize(first);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    const int result = co_await paused(pause);
    benchmark::DoNotOptimize(result);
  }
}

void call_that_suspends_and_is_resumed(benchmark::State& state) {
  Scope scope;
  Pause pause;
  scope.spawn(call_paused(state, pause));
  while (!scope.empty()) pause.waiter.resume();
}
BENCHMARK(call_that_suspends_and_is_resumed);

Task<void> wait_for(benchmark::State& state, Signal& signal) {
  co_await signal;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    signal.clear();
    co_await signal;
  }
}

// A signal resumes from the loop (decision 3), so this is a turn of a core that has nothing else to do. In a
// busy one the turn is shared by all.
void signal_and_turn(benchmark::State& state) {
  World world;
  if (world.core == nullptr) return state.SkipWithError(world.why.c_str());
  Scope scope;
  Signal signal(*world.core);
  scope.spawn(wait_for(state, signal));
  while (!scope.empty()) {
    signal.set();
    world.core->turn();
  }
  world.core->stop();
  world.core->run();
}
BENCHMARK(signal_and_turn);

void frame(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  FramePool pool;
  pool.release(pool.acquire(bytes), bytes);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    void* const memory = pool.acquire(bytes);
    benchmark::DoNotOptimize(memory);
    pool.release(memory, bytes);
  }
}
BENCHMARK(frame)->Arg(200)->Arg(12'000);

}  // namespace

BENCHMARK_MAIN();
