// What does a coroutine cost? A request is a handful of them, one inside the other, with frames of up to ten
// kilobytes.
#include <benchmark/benchmark.h>

#include <coroutine>

#include "allocations.h"
#include "coro/frame_pool.h"
#include "coro/scope.h"
#include "coro/task.h"

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

Task<void> call_ready(benchmark::State& state) {
  for (auto _ : state) {
    const int result = co_await ready();
    benchmark::DoNotOptimize(result);
  }
}

void call_that_does_not_suspend(benchmark::State& state) {
  Scope scope;
  const Allocations allocations(state);
  scope.spawn(call_ready(state));
}
BENCHMARK(call_that_does_not_suspend);

Task<void> call_paused(benchmark::State& state, Pause& pause, bool& over) {
  for (auto _ : state) {
    const int result = co_await paused(pause);
    benchmark::DoNotOptimize(result);
  }
  over = true;
}

void call_that_suspends_and_is_resumed(benchmark::State& state) {
  Scope scope;
  Pause pause;
  bool over = false;
  const Allocations allocations(state);
  scope.spawn(call_paused(state, pause, over));
  while (!over) pause.waiter.resume();
}
BENCHMARK(call_that_suspends_and_is_resumed);

void frame(benchmark::State& state) {
  const size_t bytes = static_cast<size_t>(state.range(0));
  FramePool pool;
  pool.release(pool.acquire(bytes), bytes);
  const Allocations allocations(state);
  for (auto _ : state) {
    void* const memory = pool.acquire(bytes);
    benchmark::DoNotOptimize(memory);
    pool.release(memory, bytes);
  }
}
BENCHMARK(frame)->Arg(200)->Arg(12'000);

}  // namespace

BENCHMARK_MAIN();
