// The bridge from an Op to a coroutine: co_await a name that is a RingCall, and the coroutine goes on when the last
// completion is there. The op lives in the coroutine's frame: no allocation.
#pragma once

#include <coroutine>

#include "core/core.h"
#include "ring/op.h"

namespace breakwater {

// Usage, one named await a statement:
//   RingCall call(core);
//   call.kind = Op::Kind::receive; ...
//   const int32_t received = co_await call;
class RingCall : public Op {
 public:
  explicit RingCall(Core& core) noexcept : core_(core) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    context = waiter.address();
    on_complete = [](Op& op) { std::coroutine_handle<>::from_address(op.context).resume(); };
    core_.ring().submit(*this);
  }
  int32_t await_resume() const noexcept { return result; }

 private:
  Core& core_;
};

// A one-shot signal between a state machine and the one coroutine that waits for it.
//   signal.set() resumes the waiter, if it waits; a signal that is already set does not suspend.
class Signal {
 public:
  bool is_set() const noexcept { return set_; }
  void clear() noexcept { set_ = false; }
  void set() noexcept {
    if (set_) return;
    set_ = true;
    if (waiter_) std::exchange(waiter_, nullptr).resume();
  }
  bool await_ready() const noexcept { return set_; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  void await_resume() const noexcept {}

 private:
  bool set_ = false;
  std::coroutine_handle<> waiter_;
};

}  // namespace breakwater
