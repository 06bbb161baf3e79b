// Session: one client connection from accept to close. READ FIRST: session.cc tells its life top to bottom.
//
// Lives on one core, in a pooled frame, from Listener's accept until run() ends. Nothing of it is freed
// before its last completion: close() asks, joins, then frees.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "backends/affinity.h"
#include "base/list.h"
#include "coro/task.h"
#include "proxy/receiver.h"
#include "proxy/worker.h"
#include "ring/address.h"
#include "tls/stream.h"
#include "wire/http_head.h"

namespace breakwater::proxy {

class Exchange;
struct Reply;

class Session : public ListNode {
 public:
  Session(Worker& worker, const Site& site, int fd, bool refuse) noexcept;
  ~Session();
  // Sessions come from the frame pool, like the coroutines that serve them.
  static void* operator new(size_t bytes) { return FramePool::of_this_thread().acquire(bytes); }
  static void operator delete(void* memory, size_t bytes) noexcept {
    FramePool::of_this_thread().release(memory, bytes);
  }

  // The whole life; `session` is freed at its end.
  static Task<void> run(Session* session);

  void drain() noexcept;     // ends when idle, or after the request it serves
  void stop_now() noexcept;  // ends at once

  // For the exchange that it serves.
  void watch() noexcept;  // tells the exchange, and those that follow, when the client ends
  void hold_answer() noexcept { answer_is_held_ = true; }
  bool watches() const noexcept { return gone_.on_complete != nullptr; }
  Worker& worker() noexcept { return worker_; }
  const Site& site() const noexcept { return site_; }
  tls::Stream& stream() noexcept { return stream_; }
  Receiver& receiver() noexcept { return receiver_; }
  uint64_t peer_network() const noexcept { return peer_network_; }  // hashed: /24, or /56 of IPv6
  uint64_t peer_hash() const noexcept { return peer_hash_; }        // of its address
  std::string_view peer_host() const noexcept { return peer_text_.host(); }
  std::string_view peer_text() const noexcept { return peer_text_.host_and_port(); }
  // What servers are told of the certificate that it showed; empty: nothing.
  std::string_view client_certificate() const noexcept { return client_certificate_; }
  bool peer_is_trusted() const noexcept { return peer_is_trusted_; }
  bool refuses() const noexcept { return refuse_; }
  const Exchange* exchange() const noexcept { return exchange_; }  // null: it serves none
  backends::Affinity& affinity() noexcept { return affinity_; }
  Ticket& ticket() noexcept { return ticket_; }
  int64_t head_begun_ns() const noexcept { return head_begun_ns_; }
  // The client gets a reset instead of an orderly end, so that it takes nothing for whole.
  void abort_on_close() noexcept { reset_ = true; }
  // The answer is short, and shows it: over TLS its end is not one that we say (close_notify).
  void cut_on_close() noexcept { is_cut_ = true; }
  // Answers with a reply of ours. The connection ends after it unless `keep_alive`. False: it could not be
  // sent.
  Task<bool> reply(const Reply& reply, std::string_view request_id, bool keep_alive, bool head_request,
                   uint64_t& body_bytes);

 private:
  enum class Next : uint8_t { request, close };

  Task<Next> shake_hands();
  void count_tls_failure(const tls::Fault& fault) noexcept;
  void answer_in_the_clear() noexcept;
  void log_handshake(const tls::Shake& shake, int64_t begun_ns) noexcept;
  Task<Next> read_head();
  Task<Next> serve();
  Task<void> refuse_head(wire::Fault fault);
  Task<void> head_timed_out();
  void head_ended(int32_t result) noexcept;
  Task<void> linger();
  Task<void> close();
  static void on_gone(Op& op);

  Worker& worker_;
  const Site& site_;
  tls::Stream stream_;
  bool refuse_;
  bool peer_is_trusted_ = false;
  bool reset_ = false;
  bool is_cut_ = false;
  bool linger_ = false;
  bool waits_for_request_ = false;  // true exactly while a head is awaited, begun or not
  bool stopped_ = false;
  bool closing_ = false;
  bool half_closed_ = false;  // by the client, as gone_ heard
  Receiver receiver_;
  wire::HeadScanner scanner_;
  int64_t head_begun_ns_ = 0;
  backends::Affinity affinity_;
  Ticket ticket_;                 // the place of its Git operation, where the pool has limits
  Exchange* exchange_ = nullptr;  // while one is served
  bool answer_is_held_ = false;   // the last bytes of the answer wait for our end (Pump::Plan::sink_closes)
  bool served_ = false;           // a request at least
  Op gone_;                       // hears when the client closes, then when it breaks
  Signal gone_ended_;
  uint64_t peer_network_ = 0;
  uint64_t peer_hash_ = 0;
  std::string client_certificate_;
  AddressText peer_text_;  // made once, not for each request
};

}  // namespace breakwater::proxy
