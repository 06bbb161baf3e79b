// Arrivals: hears of what arrives at a socket whose records the kernel opens. A receive that waited in the
// ring would, at the first bytes of a record, occupy a thread and a buffer until its rest is there; so one
// that must not wait is tried, and after it has found nothing, the next is tried when more has come.
//
// Armed once, by the first wait(), for the life of the connection. One core; destroyed after leave() has
// ended.
#pragma once

#include <cstdint>

#include "core/await.h"
#include "core/core.h"
#include "coro/task.h"

namespace breakwater::tls {

class Arrivals {
 public:
  using Hook = void (*)(void* context, int32_t error);

  // `on_arrival` is called from the loop when what was waited for is there, or with a -errno.
  Arrivals(Core& core, int fd, Hook on_arrival, void* context) noexcept;

  // Something may be there that was not received: true until a receive found nothing, and from the next
  // arrival on.
  bool may_be_there() const noexcept { return may_be_there_; }
  void found_nothing() noexcept { may_be_there_ = false; }
  // Calls the hook once. Not while something may be there.
  void wait() noexcept;
  bool waits() const noexcept { return waits_; }
  void stop() noexcept { waits_ = false; }
  // It is about to be heard of.
  bool landed() const noexcept { return waits_ && poll_.landed; }
  // Ends what is in flight. Suspends; nothing may be called after it.
  Task<void> leave();

 private:
  static void on_poll(Op& op);

  Core& core_;
  Hook on_arrival_;
  void* context_;
  bool may_be_there_ = true;
  bool waits_ = false;
  bool leaves_ = false;
  Op poll_;
  Signal ended_;
};

}  // namespace breakwater::tls
