// Receiver: the reading side of one connection while heads are read and while it waits.
//
// Bytes received and not yet used stand in the inbox, contiguous, in a buffer that the kernel picked when
// they came; a connection that waits holds none. start() arms at most one receive; `arrived` is set when it
// has ended (bytes, end, error or cancelled). A receive may stay armed from one user to the next: an idle
// pooled connection's receive is the one that hears its next answer, or its end.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/await.h"
#include "core/core.h"
#include "tls/stream.h"

namespace breakwater::proxy {

class Inbox {
 public:
  bool empty() const noexcept { return begin_ == end_; }
  std::string_view view() const noexcept {
    return buffer_ ? std::string_view(buffer_.data() + begin_, end_ - begin_) : std::string_view();
  }
  std::span<char> bytes() noexcept {
    return buffer_ ? std::span<char>(buffer_.data() + begin_, end_ - begin_) : std::span<char>();
  }
  void consume(size_t count) noexcept;  // an empty inbox gives its buffer back
  void clear() noexcept;
  void adopt(Buffer buffer, size_t begin, size_t end) noexcept;
  Buffer take() noexcept;  // with the bytes that are in it; the inbox is empty then
  bool has_buffer() const noexcept { return static_cast<bool>(buffer_); }
  // It holds a buffer that others wait for.
  bool is_in_the_way() const noexcept { return buffer_ && buffer_.group().is_short(); }
  // Room behind the bytes; moves them to the front of the buffer first if there is less than `wanted`. Empty
  // if the buffer is full.
  std::span<char> room(size_t wanted) noexcept;
  void grew(size_t count) noexcept { end_ += count; }

 private:
  Buffer buffer_;
  size_t begin_ = 0, end_ = 0;
};

class Receiver {
 public:
  using Hook = void (*)(void* context);

  // `buffers` is where received bytes go: the core's head or answer buffers.
  Receiver(Core& core, BufferGroup& buffers) noexcept;
  Receiver(const Receiver&) = delete;
  Receiver& operator=(const Receiver&) = delete;

  // `stream` outlives this.
  void attach(tls::Stream& stream) noexcept { stream_ = &stream; }
  Inbox& inbox() noexcept { return inbox_; }
  // Bytes that came in another's buffer: they go to one of ours, so that nobody who waits for one of those
  // waits for us; only if there is none, or not enough room in it, it is kept.
  void take_over(Buffer buffer, size_t begin, size_t end) noexcept;

  // Arms a receive if none is armed. `quiet`: nothing is expected soon, so don't even try before the socket
  // is readable.
  void start(bool quiet) noexcept;
  // Asks an armed receive to end; `arrived` is set when it has.
  void cancel() noexcept;
  // Bytes, or the end, came in and are about to be heard of.
  bool landed() const noexcept { return stream_->landed(op_); }
  // A receive is with the kernel since a turn before this one, and has not ended: there was nothing to read
  // then.
  bool listens() const noexcept {
    return op_.in_flight && !landed() && submitted_in_turn_ != core_.turns() &&
           stream_->armed_before_this_turn();
  }
  bool busy() const noexcept { return op_.in_flight || waiter_.waiting(); }

  Signal arrived;
  // After `arrived`: bytes added to the inbox, 0 at the end of the connection, or -errno.
  int32_t result() const noexcept { return result_; }
  // Called when `arrived` is about to be set; for whoever watches without waiting. Null: nobody.
  void set_hook(Hook hook, void* context) noexcept {
    hook_ = hook;
    hook_context_ = context;
  }

 private:
  static void on_received(Op& op);
  static void on_buffer(void* context);
  void submit() noexcept;
  void finish(int32_t result) noexcept;

  Core& core_;
  BufferGroup& buffers_;
  tls::Stream* stream_ = nullptr;
  bool quiet_ = false;
  bool cancelled_ = false;
  uint64_t submitted_in_turn_ = 0;
  int32_t result_ = 0;
  Inbox inbox_;
  Op op_;
  BufferWaiter waiter_;
  Hook hook_ = nullptr;
  void* hook_context_ = nullptr;
};

}  // namespace breakwater::proxy
