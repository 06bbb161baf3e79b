#include "core/core.h"

#include <algorithm>

#include "base/thread_counts.h"
#include "coro/frame_pool.h"
#include "ring/sys.h"

namespace breakwater {

std::unique_ptr<Core> Core::open(uint32_t index, const CoreLimits& limits, Stats& stats, LogRing& log,
                                 Mailbox& mailbox, std::string& why) {
  std::unique_ptr<Ring> ring = Ring::open(limits.ring_entries, why);
  if (ring == nullptr) return nullptr;
  std::unique_ptr<Core> core(new Core(index, limits, stats, log, mailbox, std::move(ring)));
  if (!core->head_buffers_->ready() || !core->answer_buffers_->ready() || !core->bulk_buffers_->ready()) {
    why = "the kernel refused a provided-buffer ring: Linux 6.1 or newer is required";
    return nullptr;
  }
  return core;
}

Core::Core(uint32_t index, const CoreLimits& limits, Stats& stats, LogRing& log, Mailbox& mailbox,
           std::unique_ptr<Ring> ring)
    : index_(index),
      now_ns_(sys::monotonic_ns()),
      stats_(stats),
      log_(log),
      mailbox_(mailbox),
      ring_(std::move(ring)),
      timers_(now_ns_),
      head_buffers_(std::make_unique<BufferGroup>(*ring_, 0, limits.buffer_lead_bytes,
                                                  limits.head_buffer_bytes, limits.head_buffers,
                                                  stats.buffers_free, stats.buffer_waits)),
      answer_buffers_(std::make_unique<BufferGroup>(*ring_, 2, limits.buffer_lead_bytes,
                                                    limits.head_buffer_bytes, limits.answer_buffers,
                                                    stats.answer_buffers_free, stats.buffer_waits)),
      bulk_buffers_(std::make_unique<BufferGroup>(*ring_, 1, limits.buffer_lead_bytes,
                                                  limits.bulk_buffer_bytes, limits.bulk_buffers,
                                                  stats.bulk_buffers_free, stats.buffer_waits)),
      head_room_(limits.head_buffer_bytes, limits.head_rooms),
      pipes_(limits.pipes, limits.pipe_bytes, stats.pipes_in_use),
      look_room_(std::make_unique_for_overwrite<char[]>(look_room_bytes)),
      seal_room_(std::make_unique_for_overwrite<char[]>(seal_room_bytes)) {}

Core::~Core() = default;

BufferGroup& Core::buffers_of(uint16_t group) noexcept {
  if (group == head_buffers_->id()) return *head_buffers_;
  return group == answer_buffers_->id() ? *answer_buffers_ : *bulk_buffers_;
}

int64_t Core::realtime_ns() const noexcept {
  return sys::realtime_ns();
}

void Core::log(std::string_view line) noexcept {
  if (log_.push(line))
    logged_ = true;
  else
    stats_.log_dropped.add();
}

int64_t Core::wait_ns() const noexcept {
  if (!deferred_.empty() || head_buffers_->wake_due() || answer_buffers_->wake_due() ||
      bulk_buffers_->wake_due())
    return 0;
  const int64_t next = timers_.next_ns();
  return next < 0 ? -1 : std::max<int64_t>(next - sys::monotonic_ns(), 1);
}

void Core::run() {
  while (!ended()) turn();
}

void Core::turn() noexcept {
  turns_++;
  ring_->wait(wait_ns());
  now_ns_ = sys::monotonic_ns();  // before any hook: the wait may have been long
  ring_->dispatch();
  timers_.advance(now_ns_);
  head_buffers_->wake();
  answer_buffers_->wake();
  bulk_buffers_->wake();
  run_deferred();
  publish();
}

// Only what was queued before this turn: work that defers itself again must not starve the ring.
void Core::run_deferred() noexcept {
  List<Deferred> due;
  due.take_all(deferred_);
  while (Deferred* const work = due.pop_front()) work->hook_(work->context_);
}

void Core::publish() noexcept {
  stats_.ring_enters.set(ring_->counts().enters);
  stats_.ring_sqes.set(ring_->counts().sqes);
  stats_.wake_ups.set(ring_->counts().waits);
  stats_.system_calls.set(thread_counts.system_calls);
  stats_.allocations.set(thread_counts.allocations);
  stats_.frames_allocated.set(FramePool::of_this_thread().fresh_count());
  if (logged_ && log_signal_ != nullptr) log_signal_(log_context_);
  logged_ = false;
}

}  // namespace breakwater
