// Connection: one HTTP/1.1 connection of a runner, plain or TLS. It is opened, sends, receives, and is closed
// or broken off; every wait has an end: `stall` without a byte, the whole try, the end of the storm.
//
// What came and was not used yet stands in a buffer of the core's that the kernel picked when it came, so a
// connection that waits holds none. One coroutine uses it, one call at a time. It may be opened again after
// close(); it is closed before it goes. What went over it is added to its runner's Traffic.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "client/pace.h"
#include "client/pause.h"
#include "client/site.h"
#include "client/token_bucket.h"
#include "core/await.h"
#include "core/core.h"
#include "coro/task.h"
#include "measure/outcome.h"
#include "tls/session.h"
#include "tls/stream.h"

namespace breakwater::storm {

// How long a wait may take. Absolute times are monotonic.
struct Patience {
  int64_t stall_ns = 0;  // without a byte; 0: without end
  int64_t due_ns = 0;    // of the whole try; 0: without end
};

// What went over a runner's connections, added up.
struct Traffic {
  uint64_t received = 0, sent = 0;  // payload: of TLS, what was inside
  uint16_t stalls = 0;              // times without a byte for at least a second
  uint16_t connections = 0;
};

class Connection {
 public:
  Connection(Core& core, const Site& site, Traffic& traffic) noexcept;
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // From now on reads at this pace; `bucket` is the runner's. Before open().
  void set_pace(const Pace& pace, TokenBucket& bucket) noexcept {
    pace_ = pace;
    bucket_ = &bucket;
  }
  void set_patience(const Patience& patience) noexcept { patience_ = patience; }
  const Patience& patience() const noexcept { return patience_; }

  // When the connection was there, and its handshake done; -1: not.
  struct Times {
    int64_t connected_ns = -1, secured_ns = -1;
  };
  // These suspend. Failure::none, connect, tls, stalled, timed_out, local.
  Task<Failure> open(Times& times);
  // All of them. Failure::http: the connection broke.
  Task<Failure> send(std::string_view bytes);
  // More bytes behind those that are there, which may move. At the end of the connection ended() is true, and
  // no bytes were added. Failure::http: it broke, or there is no room: head_bytes_max of a head and no end.
  Task<Failure> receive();

  // What the kernel, or TLS, had to say of the last failure; empty: that it took too long.
  std::string_view why() const noexcept { return why_; }

  bool is_open() const noexcept { return stream_.has_value(); }
  bool ended() const noexcept { return ended_; }
  // Open, and nothing was heard from the server since its last answer, not even the end.
  bool is_reusable() const noexcept { return is_open() && bytes_left() == 0 && stream_->is_silent(); }
  std::span<char> bytes() noexcept {
    return buffer_ ? std::span<char>(buffer_.data() + begin_, end_ - begin_) : std::span<char>();
  }
  void consume(size_t count) noexcept;  // the buffer goes back when nothing is left

  void close() noexcept;  // in order
  void reset() noexcept;  // as a machine that vanishes, seen by the server: a reset
  // Ends whatever is waited for, now and from now on, as Failure::timed_out.
  void stop() noexcept;
  bool is_stopped() const noexcept { return stopped_; }

 private:
  Task<int32_t> perform(tls::StreamCall& call, int64_t due_ns);
  Task<Failure> shake_hands(Times& times);
  Task<void> keep_pace();
  Task<void> wait_for_buffer(int64_t due_ns);
  bool prepare_receive(Op& op) noexcept;
  int64_t due_ns() const noexcept;
  Failure failure_of(int32_t result, Failure broken) noexcept;
  std::string_view words_of(int32_t result) const noexcept;
  size_t bytes_left() const noexcept { return end_ - begin_; }
  void note_wait(int64_t since_ns) noexcept;
  static void on_due(void* context);
  void give_up() noexcept;
  void remember_session() noexcept;
  void drop() noexcept;

  Core& core_;
  const Site& site_;
  Pace pace_;
  TokenBucket* bucket_ = nullptr;
  Patience patience_;
  Traffic& traffic_;
  std::optional<tls::Stream> stream_;
  tls::Session session_;  // of an earlier connection of the same process; Git keeps none beyond it
  Buffer buffer_;
  uint32_t begin_ = 0, end_ = 0;  // of the bytes in it
  bool ended_ = false;
  bool stopped_ = false;
  bool late_ = false;  // the wait that goes on has taken too long
  std::string_view why_;
  tls::StreamCall* call_ = nullptr;
  Pause pause_;
};

}  // namespace breakwater::storm
