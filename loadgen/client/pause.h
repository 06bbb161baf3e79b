// Pause: a wait for a time, or until somebody ends it. One coroutine waits at a time.
//
//   pause.begin(due_ns);
//   co_await pause;
#pragma once

#include <coroutine>
#include <cstdint>

#include "core/await.h"
#include "core/core.h"

namespace breakwater::storm {

class Pause {
 public:
  explicit Pause(Core& core) noexcept
      : core_(core), over_(core), timer_([](void* self) { static_cast<Pause*>(self)->end(); }, this) {}

  // `due_ns` 0: only end() ends it.
  void begin(int64_t due_ns) noexcept {
    over_.clear();
    if (due_ns > 0) core_.timers().arm(timer_, due_ns);
  }
  // The waiter goes on from the loop, in this turn. Between two pauses it does nothing.
  void end() noexcept {
    timer_.disarm();
    over_.set();
  }

  bool await_ready() const noexcept { return over_.await_ready(); }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { over_.await_suspend(waiter); }
  void await_resume() const noexcept {}

 private:
  Core& core_;
  Signal over_;
  Timer timer_;
};

}  // namespace breakwater::storm
