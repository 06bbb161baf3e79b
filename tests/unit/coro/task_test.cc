// Tasks: inline completion without suspension, resumption in order, frames that come back to the pool.
#include "coro/task.h"

#include <doctest/doctest.h>

#include <coroutine>

#include "coro/scope.h"

using breakwater::FramePool;
using breakwater::Scope;
using breakwater::Task;

namespace {

struct Gate {
  std::coroutine_handle<> waiter;
  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) noexcept { waiter = handle; }
  void await_resume() const noexcept {}
};

Task<int> ready(int value) {
  co_return value;
}

Task<int> sum_of_ready(int count) {
  int sum = 0;
  for (int index = 0; index < count; index++) {
    const int value = co_await ready(1);
    sum += value;
  }
  co_return sum;
}

Task<int> wait_for(Gate& gate) {
  co_await gate;
  co_return 7;
}

Task<void> root(Gate& gate, int& got) {
  const int first = co_await sum_of_ready(100'000);  // would overflow the stack if each await recursed
  const int second = co_await wait_for(gate);
  got = first + second;
}

}  // namespace

TEST_CASE("ready tasks use no stack, waiting ones resume their parents") {
  Gate gate;
  int got = 0;
  const uint64_t live_before = FramePool::of_this_thread().live_count();
  {
    Scope scope;
    bool emptied = false;
    scope.when_empty([](void* flag) { *static_cast<bool*>(flag) = true; }, &emptied);
    scope.spawn(root(gate, got));
    CHECK_FALSE(scope.empty());
    CHECK(got == 0);
    gate.waiter.resume();
    CHECK(got == 100'007);
    CHECK(scope.empty());
    CHECK(emptied);
  }
  CHECK(FramePool::of_this_thread().live_count() == live_before);
}

TEST_CASE("a frame is used again: the second run allocates nothing") {
  const auto once = [] {
    Gate gate;
    int got = 0;
    Scope scope;
    scope.spawn(root(gate, got));
    gate.waiter.resume();
  };
  once();
  const uint64_t fresh = FramePool::of_this_thread().fresh_count();
  once();
  CHECK(FramePool::of_this_thread().fresh_count() == fresh);
}
