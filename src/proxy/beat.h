// Beat: wakes the one coroutine that does something over and over, each time it is due, and a last time when
// it is to stop. Between two times it may look, now and then, whether it is time already.
//
//   beat.set(due_ns);
//   co_await beat.struck;
//   if (beat.stopped()) co_return;
#pragma once

#include <cstdint>

#include "base/rng.h"
#include "core/await.h"
#include "core/core.h"

namespace breakwater::proxy {

// Give or take a tenth, so that what many do over and over does not fall together.
inline int64_t with_jitter(int64_t interval_ns, Rng& rng) noexcept {
  const int64_t tenth = interval_ns / 10;
  return interval_ns - tenth + static_cast<int64_t>(rng.next() % static_cast<uint64_t>(2 * tenth + 1));
}

class Beat {
 public:
  using Look = bool (*)(void* context);

  explicit Beat(Core& core) noexcept : struck(core), core_(core), timer_(on_timer, this) {}

  // `look` is called every so often; when it gives true, the beat strikes.
  void look_every(int64_t interval_ns, Look look, void* context) noexcept;
  void set(int64_t due_ns) noexcept;
  void stop() noexcept;
  bool stopped() const noexcept { return stopped_; }

  Signal struck;

 private:
  void arm() noexcept;
  static void on_timer(void* context);

  Core& core_;
  Timer timer_;
  int64_t due_ns_ = 0;
  int64_t look_every_ns_ = 0;  // 0: it never looks
  Look look_ = nullptr;
  void* look_context_ = nullptr;
  bool stopped_ = false;
};

}  // namespace breakwater::proxy
