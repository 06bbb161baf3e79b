// Handshakes: how many of a core's run at once, and that each turn of its loop has one step of one of them.
// Who has a place and lets us wait loses it after a while if others want one.
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
  // How long a client may let us wait for what it has to say while others wait for its place: some round
  // trips to the other side of the world.
  static constexpr int64_t patience_ns = 1'000'000'000;

  Handshakes(Core& core, uint32_t most) noexcept
      : core_(core), most_(most), turn_(on_turn, this), impatience_(on_impatience, this) {}
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

  // Exists while one that has a place waits for its client. `stop` may be called, once.
  class ForClient : private ListNode {
   public:
    using Stop = void (*)(void* context);
    ForClient(Handshakes& all, Stop stop, void* context) noexcept;
    ~ForClient() { unlink(); }
    ForClient(const ForClient&) = delete;
    ForClient& operator=(const ForClient&) = delete;

   private:
    friend class Handshakes;
    friend class List<ForClient>;
    Stop stop_;
    void* context_;
    int64_t since_ns_;
  };

  // `co_await` it; true: a place is had, until leave().
  Wait enter() noexcept;
  void leave() noexcept;
  // `co_await` it before each step.
  Wait step() noexcept { return {*this, steps_, false}; }

 private:
  static void on_turn(void* context);
  static void on_impatience(void* context);
  void be_impatient() noexcept;

  Core& core_;
  const uint32_t most_;
  uint32_t running_ = 0;
  List<Wait> places_, steps_, stopped_;
  List<ForClient> for_clients_;  // the longest wait first
  Deferred turn_;
  Timer impatience_;
};

}  // namespace breakwater::tls
