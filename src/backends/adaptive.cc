#include "backends/adaptive.h"

#include <algorithm>

#include "base/assert.h"

namespace breakwater::backends {

Adaptive::Adaptive(uint32_t floor, uint32_t ceiling) : floor_(floor), ceiling_(ceiling), limit_(floor) {
  BW_ASSERT(floor >= 1 && floor <= ceiling);
}

// Cores may add to a window that another one is just judging; what they add counts for the next.
void Adaptive::heard(Work work, int64_t wait_ns, int64_t now_ns) noexcept {
  const bool is_of_now = now_ns - wait_ns >= decreased_ns_.load(std::memory_order_relaxed);
  if (work != Work::other && is_of_now) {
    Class& waits = classes_[static_cast<size_t>(work)];
    const int64_t usual_us = waits.usual_us.load(std::memory_order_relaxed);
    const int64_t us = std::max<int64_t>(wait_ns / 1000, 1);
    const int64_t slow_us = usual_us == 0 ? INT64_MAX : slow_from_us(usual_us);
    if (us > slow_us) waits.slow.fetch_add(1, std::memory_order_relaxed);
    // One that took an age is no more than slow.
    waits.sum_us.fetch_add(usual_us == 0 ? us : std::min(us, 2 * slow_us), std::memory_order_relaxed);
    waits.waits.fetch_add(1, std::memory_order_relaxed);
  }
  int64_t began = window_began_ns_.load(std::memory_order_relaxed);
  if (now_ns - began < window_ns) return;
  if (window_began_ns_.compare_exchange_strong(began, now_ns, std::memory_order_relaxed)) judge(now_ns);
}

void Adaptive::judge(int64_t now_ns) noexcept {
  Verdict verdict = Verdict::unheard;
  for (Class& waits : classes_) verdict = std::max(verdict, judge(waits, now_ns));
  if (verdict == Verdict::unheard) return;  // after a decrease, until answers come that were asked for since
  const bool was_reached = reached_.exchange(false, std::memory_order_relaxed);
  const uint32_t limit = limit_.load(std::memory_order_relaxed);
  if (verdict == Verdict::slow) {
    const uint32_t less = limit - std::max(limit / 4, 1u);
    limit_.store(std::max(less, floor_), std::memory_order_relaxed);
    decreased_ns_.store(now_ns, std::memory_order_relaxed);
  } else if (was_reached && may_rise(now_ns)) {
    const uint32_t step = std::max(ceiling_ / steps, 1u);
    limit_.store(std::min(limit + step, ceiling_), std::memory_order_relaxed);
  }
}

// Waits that are longer than a window say late what a lower limit has done. Until then a class that is well
// does not speak for one that was slow.
bool Adaptive::may_rise(int64_t now_ns) const noexcept {
  for (const Class& waits : classes_) {
    const int64_t slow_ns = waits.slow_ns.load(std::memory_order_relaxed);
    if (slow_ns != 0 && now_ns - slow_ns < silence_ns) return false;
  }
  return true;
}

Adaptive::Verdict Adaptive::judge(Class& waits, int64_t now_ns) noexcept {
  if (waits.waits.load(std::memory_order_relaxed) < samples_min) return Verdict::unheard;
  const uint32_t count = waits.waits.exchange(0, std::memory_order_relaxed);
  const uint32_t slow = waits.slow.exchange(0, std::memory_order_relaxed);
  learn(waits, waits.sum_us.exchange(0, std::memory_order_relaxed) / count);
  const bool is_slow = slow > count / 2;
  waits.slow_ns.store(is_slow ? now_ns : 0, std::memory_order_relaxed);
  return is_slow ? Verdict::slow : Verdict::well;
}

void Adaptive::learn(Class& waits, int64_t average_us) noexcept {
  int64_t usual = waits.usual_us.load(std::memory_order_relaxed);
  if (usual == 0)
    usual = average_us;
  else if (average_us < usual)
    usual += (average_us - usual) / 4;
  else if (limit() == floor_)
    usual += (average_us - usual) / 8;
  waits.usual_us.store(std::max<int64_t>(usual, 1), std::memory_order_relaxed);
}

}  // namespace breakwater::backends
