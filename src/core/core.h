// Core: the world of one CPU. One thread, one ring, nothing shared; everything that lives on a CPU gets a
// Core&.
//
// run() turns the loop until stop() was asked for and nothing is in flight any more. Time is frozen within a
// turn. The simulator calls turn() itself, so that it decides which core is next.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "base/list.h"
#include "core/buffers.h"
#include "core/log_ring.h"
#include "core/mailbox.h"
#include "core/pipes.h"
#include "core/stats.h"
#include "core/timers.h"
#include "ring/ring.h"

namespace breakwater {

struct CoreLimits {
  uint32_t ring_entries = 1024;
  size_t buffer_lead_bytes = 17 * 1024;  // in front of each of these; see buffers.h
  size_t head_buffer_bytes = 20 * 1024;
  uint32_t head_buffers = 1024;   // for what clients send
  uint32_t answer_buffers = 256;  // for what servers send
  size_t bulk_buffer_bytes = 128 * 1024;
  uint32_t bulk_buffers = 128;
  uint32_t head_rooms = 512;  // outgoing heads being sent
  uint32_t pipes = 256;
  size_t pipe_bytes = 1024 * 1024;
};

// Work to go on with in the next turn. In at most one queue; destroying it takes it out.
class Deferred : private ListNode {
 public:
  using Hook = void (*)(void* context);
  Deferred(Hook hook, void* context) noexcept : hook_(hook), context_(context) {}
  ~Deferred() { unlink(); }
  bool queued() const noexcept { return linked(); }
  void stop() noexcept { unlink(); }

 private:
  friend class Core;
  friend class List<Deferred>;
  Hook hook_;
  void* context_;
};

class Core {
 public:
  // Made and run on its own thread. `why` gets a sentence if the core can't be had.
  static std::unique_ptr<Core> open(uint32_t index, const CoreLimits& limits, Stats& stats, LogRing& log,
                                    Mailbox& mailbox, std::string& why);
  ~Core();
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void run();
  bool ended() const noexcept { return stopping_ && ring_->in_flight() == 0; }
  void turn() noexcept;  // once round the loop
  void stop() noexcept { stopping_ = true; }

  uint32_t index() const noexcept { return index_; }
  int64_t now_ns() const noexcept { return now_ns_; }
  uint64_t turns() const noexcept { return turns_; }
  int64_t realtime_ns() const noexcept;  // wall clock, for logs only
  Ring& ring() noexcept { return *ring_; }
  Timers& timers() noexcept { return timers_; }
  // Two groups, so that requests that wait for their answers can never hold the last buffer an answer could
  // come in.
  BufferGroup& head_buffers() noexcept { return *head_buffers_; }
  BufferGroup& answer_buffers() noexcept { return *answer_buffers_; }
  BufferGroup& bulk_buffers() noexcept { return *bulk_buffers_; }
  BufferGroup& buffers_of(uint16_t group) noexcept;  // by its id
  HeadRoom& head_room() noexcept { return head_room_; }
  PipePool& pipes() noexcept { return pipes_; }
  // For bytes that are only looked at. Whoever looks is done with it before anybody else runs.
  std::span<char> look_room() noexcept { return {look_room_.get(), look_room_bytes}; }
  // Likewise, for bytes on their way out that are sealed and sent in one go (tls/secure_stream.h).
  std::span<char> seal_room() noexcept { return {seal_room_.get(), seal_room_bytes}; }
  static constexpr size_t seal_room_bytes = 68 * 1024;
  Stats& stats() noexcept { return stats_; }
  Mailbox& mailbox() noexcept { return mailbox_; }

  void defer(Deferred& work) noexcept {
    if (!work.queued()) deferred_.push_back(work);
  }
  void log(std::string_view line) noexcept;
  // The writer sleeps until somebody signals; the loop does so once a turn at most.
  void set_log_signal(void (*signal)(void*), void* context) noexcept {
    log_signal_ = signal;
    log_context_ = context;
  }

 private:
  Core(uint32_t index, const CoreLimits& limits, Stats& stats, LogRing& log, Mailbox& mailbox,
       std::unique_ptr<Ring> ring);
  void run_deferred() noexcept;
  int64_t wait_ns() const noexcept;
  void publish() noexcept;

  uint32_t index_;
  int64_t now_ns_;
  uint64_t turns_ = 0;
  bool stopping_ = false;
  bool logged_ = false;
  Stats& stats_;
  LogRing& log_;
  Mailbox& mailbox_;
  std::unique_ptr<Ring> ring_;
  Timers timers_;
  std::unique_ptr<BufferGroup> head_buffers_;
  std::unique_ptr<BufferGroup> answer_buffers_;
  std::unique_ptr<BufferGroup> bulk_buffers_;
  HeadRoom head_room_;
  PipePool pipes_;
  static constexpr size_t look_room_bytes = 64 * 1024;
  std::unique_ptr<char[]> look_room_;
  std::unique_ptr<char[]> seal_room_;
  List<Deferred> deferred_;
  void (*log_signal_)(void*) = nullptr;
  void* log_context_ = nullptr;
};

}  // namespace breakwater
