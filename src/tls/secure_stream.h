// SecureStream: TLS on one socket, between the Ops of whoever speaks HTTP and those of the ring. For
// stream.cc.
//
// Receiving: the ring writes records to where the payload is wanted, behind the lead of a picked buffer or as
// much room in the user's memory; they are opened from there to its front. All that came is taken by the
// engine each time, a part of a record too (which it keeps), so nothing is left behind; that part is what the
// room is for. A receive that brought no payload (a ticket, a key update) is armed again, and nobody hears of
// it.
//
// Sending: as much as `batch_bytes` is sealed into Core::seal_room() and sent at once. What the socket does
// not take is copied (`unsent_`) and goes on through the ring; only then the send is done. Small parts share
// a record.
//
// Where the kernel does the records (kernel_records.h) sends pass as they are, and of receives only those are
// looked at that bring no payload. There a receive does not wait in the ring (arrivals.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

#include "core/await.h"
#include "core/core.h"
#include "coro/task.h"
#include "tls/arrivals.h"
#include "tls/engine.h"
#include "tls/handshakes.h"
#include "tls/kernel_records.h"
#include "tls/stream.h"

namespace breakwater::tls {

class SecureStream {
 public:
  // `engine`: what an Engine is made of, of either side.
  template <typename... OfEngine>
  SecureStream(Core& core, int fd, OfEngine&&... engine) noexcept
      : core_(core),
        fd_(fd),
        engine_(std::forward<OfEngine>(engine)...),
        receive_later_(on_receive_later, this),
        send_later_(on_send_later, this) {
    receive_.op.on_complete = on_received;
    send_.op.on_complete = on_sent;
    receive_.op.context = send_.op.context = this;
  }
  ~SecureStream();

  // `handshakes` is null on a client's side.
  Task<Shake> shake_hands(Handshakes* handshakes, int64_t due_ns);
  // After the handshake: gives the keys to the kernel, if it takes them. False if the connection is of no use
  // any more.
  bool give_to_kernel() noexcept;
  bool is_kernels() const noexcept { return kernel_ != nullptr; }
  void stop_handshake() noexcept;
  void stop_if_unheard() noexcept;

  void submit(Op& op) noexcept;
  void cancel(Op& op) noexcept;
  bool landed(const Op& op) const noexcept;
  bool armed_before_this_turn() const noexcept;
  bool is_silent() const noexcept;
  const msghdr* say_end() noexcept;
  Task<void> leave();
  const Engine& engine() const noexcept { return engine_; }
  Fault fault() const noexcept { return kernel_ != nullptr ? kernel_->fault() : engine_.fault(); }

 private:
  // One direction: the Op of whoever called, and ours that works for it.
  struct Way {
    Op* user = nullptr;
    Op op;
    bool cancelled = false;
  };
  // Bytes on their way that have a place of their own.
  struct Unsent {
    std::unique_ptr<char[]> bytes;
    size_t begin = 0, end = 0;
    size_t size() const noexcept { return end - begin; }
    bool empty() const noexcept { return begin == end; }
    void add(std::span<const char> more);
  };

  Task<Shake> exchange_hellos(Handshakes* handshakes);
  void await_more_than(size_t bytes) noexcept;
  Task<bool> readable();
  Task<void> pause();
  Task<bool> turn_of(Handshakes::Wait& wait);
  Task<void> send_rest();

  void start_receive() noexcept;
  void receive(Op& op) noexcept;
  void send(Op& op) noexcept;
  void seal_and_send() noexcept;
  std::span<const char> next_data(size_t done, std::span<char> stage) const noexcept;
  bool send_now(std::span<const char> sealed, bool more) noexcept;
  void send_unsent() noexcept;
  void finish(Way& way, int32_t result) noexcept;
  void finish_later(Way& way, Deferred& later, int32_t result) noexcept;
  void received() noexcept;
  int32_t of_kernel(int32_t result) noexcept;
  int32_t open(std::span<char> memory, size_t bytes) noexcept;
  bool has_ended(int32_t& result) const noexcept;
  void seal_end(std::span<char>& out) noexcept;

  static void on_arrival(void* context, int32_t error);
  static void on_received(Op& op);
  static void on_sent(Op& op);
  static void on_receive_later(void* context);
  static void on_send_later(void* context);

  Core& core_;
  int fd_;
  Engine engine_;
  // The kernel's: both, or neither.
  std::unique_ptr<KernelRecords> kernel_;
  std::unique_ptr<Arrivals> arrivals_;
  Way receive_, send_;
  uint64_t receive_armed_in_turn_ = 0;
  Deferred receive_later_, send_later_;
  Engine::Step last_step_ = Engine::Step::wants_input;  // of open(): closed and failed stay
  Unsent unsent_;
  Unsent answers_;  // of the engine's, that came up while `unsent_` is with the ring; behind it
  bool said_end_ = false;
  int send_errno_ = 0;
  size_t sealed_bytes_ = 0;   // payload of the send that `unsent_` is the rest of
  uint64_t reply_bytes_ = 0;  // sent since something was received
  // While hands are shaken.
  Op* waits_for_ = nullptr;
  Handshakes::Wait* waits_for_turn_ = nullptr;
  Signal* waits_for_pause_ = nullptr;
  size_t low_water_ = 1;
  bool is_unheard_ = false;
  bool stopped_ = false;
};

}  // namespace breakwater::tls
