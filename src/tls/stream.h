// Stream: one connection's socket, plain or TLS, with the same verbs. An Op that receives or sends what HTTP
// says is submitted here instead of to the ring; what it carries and results in is the payload, however it
// travels.
//
// Plain: an Op goes to the ring as it is. TLS (after accept() or connect(), see secure_stream.h): receives
// are opened in the buffer that they landed in, sends are sealed into room of the core's, so that neither a
// waiting connection nor one that sends at its reader's pace holds more than what the socket did not take.
// Polls and splices go to the ring with fd(): splices out of it where it is plain, into it where
// takes_splices() says so.
//
// One of its core's; made before, and destroyed after, the Ops that are submitted to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/await.h"
#include "core/core.h"
#include "coro/task.h"
#include "ring/op.h"
#include "tls/context.h"
#include "tls/fault.h"

namespace breakwater::tls {

class Engine;
class Handshakes;
class SecureStream;
class Session;

// How a handshake went.
struct Shake {
  Fault fault;                // none: the stream is open
  bool timed_out = false;     // before `due_ns`, it was not done
  bool said_nothing = false;  // not a byte came: of who looks whether the port is open, for one
  std::string asked_name;     // by the client (SNI); empty if none was
  bool done() const noexcept { return !fault && !timed_out; }
};

class Stream {
 public:
  // A receive into memory (Op::Kind::receive) gives at least so many bytes: what was left of the last receive
  // may be a whole record, and comes with it.
  static constexpr size_t receive_bytes_min = 18 * 1024;

  Stream(Core& core, int fd) noexcept;
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  int fd() const noexcept { return fd_; }
  bool is_secure() const noexcept { return secure_ != nullptr; }
  // What is spliced into the socket is payload: it is plain, or the kernel seals.
  bool takes_splices() const noexcept;
  // Null on a plain stream.
  const Engine* engine() const noexcept;
  // Why a receive or send of a TLS stream ended with -EPROTO.
  Fault fault() const noexcept;

  // receive, receive_selected, send, send_message; one receive and one send at a time. Errors are the ring's,
  // and -EPROTO where TLS failed. On a plain stream any op of its socket.
  void submit(Op& op) noexcept;
  void cancel(Op& op) noexcept;
  // Of a receive: bytes, or the end, came in and are about to be heard of.
  bool landed(const Op& op) const noexcept;
  // Of a receive in flight: has the kernel known of it since a turn before this one?
  bool armed_before_this_turn() const noexcept;
  // Nothing is there to be read, not even the end (a peek).
  bool is_silent() const noexcept;
  // Says that no more payload comes (close_notify). When all was sent; nothing on a plain stream.
  //
  // Where the kernel does the records it is not said yet: what is returned then is to be sent by an Op
  // (send_message) and waited for, or what was sent before may be lost with the connection. It stays in place
  // as long as this. Null otherwise; always on a client's side.
  const msghdr* say_end() noexcept;
  // Before the socket is closed: ends what is still in flight of the stream's own. No receive may follow.
  Task<void> leave();

  // If a handshake fails the stream is a plain one again, over which nothing more should be sent.
  //
  // The server's side. It suspends, for its turn among `handshakes` and for the client, until
  // `due_ns` (0: without end) at most.
  Task<Shake> accept(std::shared_ptr<const Context> context, Handshakes& handshakes, int64_t due_ns);
  // The client's. `name`: the server's, see Engine; `session` to come back with, or null. They outlive the
  // call.
  Task<Shake> connect(std::shared_ptr<const ClientContext> context, std::string_view name,
                      const Session* session, int64_t due_ns);
  // Asks a handshake that is under way to end.
  void stop_handshake() noexcept;
  void stop_if_unheard() noexcept;  // the same, while the other side has not said anything yet

 private:
  Core& core_;
  int fd_;
  std::unique_ptr<SecureStream> secure_;
};

using StreamCall = CallOf<Stream>;

}  // namespace breakwater::tls
