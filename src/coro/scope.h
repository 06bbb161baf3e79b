// Scope: owns running tasks. spawn() starts one; when the last is gone, empty() is true and on_empty is
// called. There is no detached coroutine anywhere else. One thread.
#pragma once

#include <coroutine>
#include <cstdint>

#include "base/assert.h"
#include "coro/task.h"

namespace breakwater {

class Scope {
 public:
  using Hook = void (*)(void* context);

  Scope() = default;
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { BW_ASSERT(running_ == 0); }

  // Runs `task` until its first suspension; the scope keeps it until it ends.
  void spawn(Task<void> task) {
    BW_ASSERT(!closed_);
    running_++;
    run(*this, std::move(task));
  }
  // From now on nothing may be spawned.
  void close() noexcept { closed_ = true; }
  bool empty() const noexcept { return running_ == 0; }
  uint32_t running() const noexcept { return running_; }
  void when_empty(Hook hook, void* context) noexcept {
    on_empty_ = hook;
    context_ = context;
  }

 private:
  struct Root {
    struct promise_type : detail::PooledFrame {
      Root get_return_object() const noexcept { return {}; }
      std::suspend_never initial_suspend() const noexcept { return {}; }
      std::suspend_never final_suspend() const noexcept { return {}; }
      void return_void() const noexcept {}
      [[noreturn]] void unhandled_exception() const noexcept {
        assert_failed("no exception leaves a task", __FILE__, __LINE__);
      }
    };
  };
  static Root run(Scope& scope, Task<void> task) {
    co_await task;
    scope.finished();
  }
  void finished() noexcept {
    BW_ASSERT(running_ > 0);
    running_--;
    if (running_ == 0 && on_empty_ != nullptr) on_empty_(context_);
  }

  uint32_t running_ = 0;
  bool closed_ = false;
  Hook on_empty_ = nullptr;
  void* context_ = nullptr;
};

}  // namespace breakwater
