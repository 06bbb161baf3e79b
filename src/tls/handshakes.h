// Handshakes: how many of a core's run at once, and that each turn of its loop has one step of one of them.
//
// A step may hold a signature, which takes a core a large part of a millisecond with RSA. So whoever
// transfers waits for one of them at most, however many clients come, and a client that comes waits for its
// turn. What is beyond the bound waits unread, in order, and holds nothing but its socket. One core.
#pragma once

#include <coroutine>
#include <cstdint>

#include "base/list.h"
#include "core/core.h"

namespace breakwater::tls {

class Handshakes {
 public:
  Handshakes(Core& core, uint32_t most) noexcept : core_(core), most_(most), turn_(on_turn, this) {}
  Handshakes(const Handshakes&) = delete;
  Handshakes& operator=(const Handshakes&) = delete;
  ~Handshakes() { BW_ASSERT(running_ == 0 && places_.empty() && steps_.empty()); }

  // One coroutine's wait, for a place or for a step. It goes on from the loop.
  class Wait : private ListNode {
   public:
    ~Wait() { BW_ASSERT(!linked()); }
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    bool await_ready() const noexcept { return ready_; }
    void await_suspend(std::coroutine_handle<> waiter) noexcept;
    bool await_resume() const noexcept { return !stopped_; }
    // It goes on without what it waits for.
    void stop() noexcept;

   private:
    friend class Handshakes;
    friend class List<Wait>;
    Wait(Handshakes& all, List<Wait>& queue, bool ready) noexcept : all_(all), queue_(queue), ready_(ready) {}
    Handshakes& all_;
    List<Wait>& queue_;
    bool ready_;
    bool stopped_ = false;
    std::coroutine_handle<> waiter_;
  };

  // `co_await` it; true: a place is had, until leave().
  Wait enter() noexcept;
  void leave() noexcept;
  // `co_await` it before each step.
  Wait step() noexcept { return {*this, steps_, false}; }

 private:
  static void on_turn(void* context);

  Core& core_;
  const uint32_t most_;
  uint32_t running_ = 0;
  List<Wait> places_, steps_, stopped_;
  Deferred turn_;
};

}  // namespace breakwater::tls
