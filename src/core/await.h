// The bridge from an Op to a coroutine: co_await a name that is a RingCall, and the coroutine goes on when
// the last completion is there. The op lives in the coroutine's frame: no allocation.
#pragma once

#include <coroutine>
#include <utility>

#include "core/core.h"
#include "ring/op.h"

namespace breakwater {

// Usage, one named await a statement:
//   RingCall call(core);
//   call.kind = Op::Kind::receive; ...
//   const int32_t received = co_await call;
//
// `To` is what the op is submitted to: the ring, or a tls::Stream.
template <typename To>
class CallOf : public Op {
 public:
  explicit CallOf(To& to) noexcept : to_(to) {}

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept {
    context = waiter.address();
    on_complete = [](Op& op) { std::coroutine_handle<>::from_address(op.context).resume(); };
    to_.submit(*this);
  }
  int32_t await_resume() const noexcept { return result; }

 private:
  To& to_;
};

class RingCall : public CallOf<Ring> {
 public:
  explicit RingCall(Core& core) noexcept : CallOf(core.ring()) {}
};

// A signal between a state machine and the one coroutine that waits for it.
//
// set() never resumes inside the caller: the waiter goes on from the loop, in the same turn. So whoever sets
// a signal may go on using its own members afterwards. A signal that is already set does not suspend.
class Signal {
 public:
  explicit Signal(Core& core) noexcept : core_(core), resume_(on_resume, this) {}
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  bool is_set() const noexcept { return set_; }
  void clear() noexcept { set_ = false; }
  void set() noexcept {
    if (set_) return;
    set_ = true;
    if (waiter_) core_.defer(resume_);
  }
  bool await_ready() const noexcept { return set_; }
  void await_suspend(std::coroutine_handle<> waiter) noexcept { waiter_ = waiter; }
  void await_resume() const noexcept {}

 private:
  static void on_resume(void* context) {
    std::exchange(static_cast<Signal*>(context)->waiter_, nullptr).resume();
  }

  Core& core_;
  bool set_ = false;
  std::coroutine_handle<> waiter_;
  Deferred resume_;
};

// Ends a wait that takes too long: calls `on_expire` once at `due_ns` unless it is destroyed or disarmed
// first. `due_ns` 0 or less: never.
class Deadline {
 public:
  Deadline(Core& core, int64_t due_ns, Timer::Hook on_expire, void* context) noexcept
      : expire_(on_expire), context_(context), timer_(fire, this) {
    if (due_ns > 0) core.timers().arm(timer_, due_ns);
  }
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  bool expired() const noexcept { return expired_; }
  void disarm() noexcept { timer_.disarm(); }

 private:
  static void fire(void* self) {
    Deadline& deadline = *static_cast<Deadline*>(self);
    deadline.expired_ = true;
    deadline.expire_(deadline.context_);
  }
  Timer::Hook expire_;
  void* context_;
  bool expired_ = false;
  Timer timer_;
};

}  // namespace breakwater
