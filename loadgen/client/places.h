// Places: no more than so many operations of a core have a connection at the same time. Who finds none waits
// in a queue, first come, first served.
#pragma once

#include <cstdint>

#include "base/list.h"
#include "core/await.h"
#include "core/core.h"

namespace breakwater::storm {

class Places {
 public:
  // 0: no bound.
  Places(Core& core, uint32_t most) noexcept : core_(core), most_(most) {}
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // One operation's wait: `co_await wait.granted`, then look at is_granted(): false, if the storm is over.
  class Wait : private ListNode {
   public:
    explicit Wait(Places& places) noexcept : granted(places.core_) {
      if (places.most_ == 0 || places.taken_ < places.most_) {
        places.taken_++;
        granted_ = true;
        granted.set();
      } else if (places.closed_) {
        granted.set();
      } else {
        places.queue_.push_back(*this);
      }
    }
    ~Wait() { unlink(); }
    bool is_granted() const noexcept { return granted_; }
    Signal granted;

   private:
    friend class Places;
    friend class List<Wait>;
    bool granted_ = false;
  };

  // Of who had one: the next in the queue has it now.
  void leave() noexcept {
    BW_ASSERT(taken_ > 0);
    Wait* const next = queue_.pop_front();
    if (next == nullptr) {
      taken_--;
      return;
    }
    next->granted_ = true;
    next->granted.set();
  }
  // Everybody who waits goes on without a place, and whoever comes later.
  void close() noexcept {
    closed_ = true;
    while (Wait* const wait = queue_.pop_front()) wait->granted.set();
  }

 private:
  Core& core_;
  const uint32_t most_;
  uint32_t taken_ = 0;
  bool closed_ = false;
  List<Wait> queue_;
};

}  // namespace breakwater::storm
