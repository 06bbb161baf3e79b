// Task<T>: a lazy coroutine that is awaited once, at once, by the coroutine that made it.
//
//   const Result<size_t> sent = co_await send_all(bytes);
//
// Awaiting starts the child inline. If it finishes without suspending, the parent goes on without ever
// suspending either (bool await_suspend), so loops of ready operations use no stack. A Task is never
// destroyed while it is suspended on an operation in flight: whoever wants to stop it makes the operation
// complete and waits. Frames come from this thread's FramePool.
#pragma once

#include <coroutine>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/assert.h"
#include "coro/frame_pool.h"

namespace breakwater {

namespace detail {

struct PooledFrame {
  static void* operator new(size_t bytes) { return FramePool::of_this_thread().acquire(bytes); }
  static void operator delete(void* frame, size_t bytes) noexcept {
    FramePool::of_this_thread().release(frame, bytes);
  }
};

struct TaskPromiseBase : PooledFrame {
  std::coroutine_handle<> parent;
  bool parent_suspended = false;  // true once the parent has returned to its caller

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) const noexcept {
      const TaskPromiseBase& promise = self.promise();
      return promise.parent_suspended ? promise.parent : std::noop_coroutine();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  [[noreturn]] void unhandled_exception() const noexcept {
    assert_failed("no exception leaves a task", __FILE__, __LINE__);
  }
};

template <typename T>
struct TaskPromise : TaskPromiseBase {
  std::optional<T> value;
  std::coroutine_handle<TaskPromise> handle() {
    return std::coroutine_handle<TaskPromise>::from_promise(*this);
  }
  auto get_return_object() noexcept { return handle(); }
  void return_value(T result) noexcept { value.emplace(std::move(result)); }
  T take() { return std::move(*value); }
};

template <>
struct TaskPromise<void> : TaskPromiseBase {
  auto get_return_object() noexcept { return std::coroutine_handle<TaskPromise>::from_promise(*this); }
  void return_void() const noexcept {}
  void take() const noexcept {}
};

}  // namespace detail

template <typename T>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::TaskPromise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task(Handle handle) noexcept : handle_(handle) {}  // NOLINT: what get_return_object() gives
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) noexcept {
    promise_type& promise = handle_.promise();
    promise.parent = parent;
    handle_.resume();
    if (handle_.done()) return false;
    promise.parent_suspended = true;
    return true;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

}  // namespace breakwater
