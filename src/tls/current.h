// What connections are made with at the moment, a Context or a ClientContext: replaced as a whole, by any
// thread, while cores use it. Who took one keeps it as long as it likes.
//
// A lock for as long as it takes to copy a pointer, once for each connection. (libstdc++ 12 has a
// std::atomic<std::shared_ptr>, but its load gives its own lock back without a release: TSan sees the race.)
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "tls/context.h"

namespace breakwater::tls {

template <typename Made>
class Current {
 public:
  std::shared_ptr<const Made> get() const noexcept {
    const Lock lock(held_);
    return made_;
  }
  // What it replaces goes after the lock is given back.
  void set(std::shared_ptr<const Made> made) noexcept {
    const Lock lock(held_);
    made_.swap(made);
  }

 private:
  class Lock {
   public:
    explicit Lock(std::atomic_flag& held) noexcept : held_(held) {
      while (held_.test_and_set(std::memory_order_acquire)) held_.wait(true, std::memory_order_relaxed);
    }
    ~Lock() {
      held_.clear(std::memory_order_release);
      held_.notify_one();
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

   private:
    std::atomic_flag& held_;
  };

  mutable std::atomic_flag held_;
  std::shared_ptr<const Made> made_;
};

}  // namespace breakwater::tls
