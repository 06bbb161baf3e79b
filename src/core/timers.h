// Timer wheel: arm and disarm in O(1), 1 ms ticks, five levels of 64 slots (up to 12 days; longer is
// clamped).
//
// A timer never fires early, and at most two ticks late plus the time the loop was busy. A Timer is a member
// of what it watches; destroying it disarms it. Hooks run from advance(), on the core's thread.
#pragma once

#include <array>
#include <cstdint>

#include "base/list.h"

namespace breakwater {

class Timers;

class Timer : private ListNode {
 public:
  using Hook = void (*)(void* context);
  Timer(Hook hook, void* context) noexcept : hook_(hook), context_(context) {}
  ~Timer() { disarm(); }
  bool armed() const noexcept { return linked(); }
  void disarm() noexcept;

 private:
  friend class Timers;
  friend class List<Timer>;
  Hook hook_;
  void* context_;
  Timers* wheel_ = nullptr;
  uint64_t due_tick_ = 0;
  uint16_t slot_ = 0;
};

class Timers {
 public:
  static constexpr int64_t tick_ns = 1'000'000;
  static constexpr uint32_t levels = 5;
  static constexpr uint32_t slots = 64;

  explicit Timers(int64_t now_ns) noexcept : tick_(static_cast<uint64_t>(now_ns / tick_ns)) {}
  // (Re)arms `timer` to fire at or after `due_ns`.
  void arm(Timer& timer, int64_t due_ns) noexcept;
  // Fires everything that is due.
  void advance(int64_t now_ns) noexcept;
  // When advance() has to be called next; -1 if nothing is armed.
  int64_t next_ns() const noexcept;
  uint64_t armed_count() const noexcept { return armed_; }

 private:
  friend class Timer;
  void place(Timer& timer) noexcept;
  void cascade(uint32_t level) noexcept;
  void removed(const Timer& timer) noexcept;

  uint64_t tick_;  // everything due at or before it has fired
  uint64_t armed_ = 0;
  std::array<uint64_t, levels> occupied_{};
  std::array<List<Timer>, levels * slots> wheel_;
};

}  // namespace breakwater
