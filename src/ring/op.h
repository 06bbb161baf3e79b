// Op: one request to the kernel as plain data, with the hook that hears of its completion.
//
// An Op lives in a coroutine frame or in a long-lived object and does not move. Its address is the
// completion's user_data, set in one place (the ring). `in_flight` is true exactly from submit() to the
// terminal completion; an Op and every buffer it names stay alive and untouched for that time, cancelled or
// not. One activation at a time.
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "base/assert.h"

namespace breakwater {

struct Op {
  enum class Kind : uint8_t {
    accept,            // multishot; each completion's result is a connected descriptor (close-on-exec)
    connect,           // to `address`
    receive,           // into data[0, bytes)
    receive_selected,  // at most `bytes` (0: no limit) into a buffer of `group` that the kernel picks
    send,              // data[0, bytes); may be short
    send_message,      // `message`; may be short
    poll_readable,     // one shot
    poll_writable,     // one shot
    poll_gone,         // multishot: the peer closed its sending side (POLLRDHUP); the connection broke, or
                       // both sides are closed. Each once: one shot and armed anew, the first would end it
                       // again and again, for no mask keeps POLLRDHUP out of a wait (Linux 6.18)
    poll_arrivals,     // multishot; a completion whenever something came (an edge), and one if something is
                       // there
    read,              // of a descriptor that is no socket (an eventfd)
  };
  using Hook = void (*)(Op& op);

  Kind kind{};
  bool in_flight = false;
  bool landed = false;           // its completion was taken from the kernel, and its hook is about to run
  bool poll_first = false;       // receive: don't try before the socket is readable (an idle connection)
  bool now = false;              // receive: don't wait; -EAGAIN if nothing is there
  bool hold = false;             // send: may wait for what follows at once, bytes or the end (MSG_MORE)
  bool buffer_selected = false;  // result: the kernel picked `buffer_id`, even if result is an error
  bool more = false;             // result: further completions of this activation will follow
  uint16_t group = 0;
  uint16_t buffer_id = 0;
  // Of a receive_selected of a tls::Stream: what was unwrapped begins so many bytes before the place where
  // the kernel wrote. The ring does not look at it.
  uint32_t early = 0;
  int fd = -1;
  int32_t result = 0;  // bytes, a descriptor, a poll mask, or -errno
  void* data = nullptr;
  size_t bytes = 0;
  const msghdr* message = nullptr;
  const sockaddr* address = nullptr;
  socklen_t address_bytes = 0;
  Hook on_complete = nullptr;
  void* context = nullptr;  // for on_complete; the ring does not look at it

  Op() = default;
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  ~Op() { BW_ASSERT(!in_flight); }
};

}  // namespace breakwater
