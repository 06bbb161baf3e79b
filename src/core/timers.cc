#include "core/timers.h"

#include <algorithm>
#include <bit>

namespace breakwater {

namespace {
constexpr uint32_t level_bits = 6;
constexpr uint64_t slot_mask = Timers::slots - 1;
constexpr uint64_t horizon = (1ull << (level_bits * Timers::levels)) - 1;
}  // namespace

void Timer::disarm() noexcept {
  if (!linked()) return;
  unlink();
  wheel_->removed(*this);
}

void Timers::removed(const Timer& timer) noexcept {
  armed_--;
  if (wheel_[timer.slot_].empty()) occupied_[timer.slot_ / slots] &= ~(1ull << (timer.slot_ % slots));
}

void Timers::place(Timer& timer) noexcept {
  const uint64_t distance = timer.due_tick_ - tick_;
  uint32_t level = 0;
  while (level + 1 < levels && distance >= (1ull << (level_bits * (level + 1)))) level++;
  const uint32_t slot = static_cast<uint32_t>((timer.due_tick_ >> (level_bits * level)) & slot_mask);
  timer.slot_ = static_cast<uint16_t>(level * slots + slot);
  wheel_[timer.slot_].push_back(timer);
  occupied_[level] |= 1ull << slot;
  armed_++;
}

void Timers::arm(Timer& timer, int64_t due_ns) noexcept {
  timer.disarm();
  timer.wheel_ = this;
  const uint64_t due = static_cast<uint64_t>((due_ns + tick_ns - 1) / tick_ns);
  timer.due_tick_ = std::clamp(due, tick_ + 1, tick_ + horizon);
  place(timer);
}

// Spreads the slot of `level` that tick_ has just entered over the levels below it.
void Timers::cascade(uint32_t level) noexcept {
  const uint32_t slot = static_cast<uint32_t>((tick_ >> (level_bits * level)) & slot_mask);
  if (slot == 0 && level + 1 < levels) cascade(level + 1);
  List<Timer>& list = wheel_[level * slots + slot];
  List<Timer> moving;
  while (Timer* const timer = list.pop_front()) {
    removed(*timer);
    moving.push_back(*timer);
  }
  while (Timer* const timer = moving.pop_front()) place(*timer);
}

void Timers::advance(int64_t now_ns) noexcept {
  const uint64_t target = static_cast<uint64_t>(now_ns / tick_ns);
  while (tick_ < target) {
    if (armed_ == 0) {
      tick_ = target;
      return;
    }
    if (occupied_[0] == 0) {  // nothing on this level: go to its last tick in one step
      tick_ = std::min(target, tick_ | slot_mask);
      if (tick_ == target) return;
    }
    tick_++;
    if ((tick_ & slot_mask) == 0) cascade(1);
    List<Timer>& due = wheel_[tick_ & slot_mask];
    while (Timer* const timer = due.front()) {
      timer->disarm();
      timer->hook_(timer->context_);  // may arm, disarm and destroy timers, this one too
    }
  }
}

int64_t Timers::next_ns() const noexcept {
  if (armed_ == 0) return -1;
  uint64_t next = UINT64_MAX;
  for (uint32_t level = 0; level < levels; level++) {
    if (occupied_[level] == 0) continue;
    const uint64_t position = tick_ >> (level_bits * level);
    const int start = static_cast<int>((position + 1) & slot_mask);
    const uint64_t distance =
        1u + static_cast<uint64_t>(std::countr_zero(std::rotr(occupied_[level], start)));
    next = std::min(next, (position + distance) << (level_bits * level));
  }
  return static_cast<int64_t>(next) * tick_ns;
}

}  // namespace breakwater
