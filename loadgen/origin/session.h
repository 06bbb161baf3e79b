// One client connection of the synthetic server: HTTP/1.1 requests one after another, as a coroutine.
//
// A request's body is taken in whole, then answered; answers go out of shared memory. What a connection
// holds: some 3 KiB and its TLS while it waits, its request's body while that comes in (bounded by
// request_bytes_max, for a push push_bytes_max), and a Batch of 7 KiB while it answers. All bodies of a core
// together are bounded by bodies_bytes_max: a request beyond that is refused with 503.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/list.h"
#include "core/await.h"
#include "core/core.h"
#include "coro/scope.h"
#include "coro/task.h"
#include "origin/answer.h"
#include "origin/head.h"
#include "origin/payload.h"
#include "origin/request_body.h"
#include "origin/site.h"
#include "tls/handshakes.h"
#include "tls/stream.h"
#include "wire/http_head.h"

namespace breakwater::storm::origin {

class Session;

inline constexpr uint32_t connections_max = 50'000;  // of one core
inline constexpr size_t request_bytes_max = 4 * 1024 * 1024;
inline constexpr size_t push_bytes_max = 256 * 1024 * 1024;
inline constexpr size_t bodies_bytes_max = 512 * 1024 * 1024;
inline constexpr uint32_t handshakes_max = 64;  // of a core at one time

// What the sessions of one core share.
struct Worker {
  Worker(Core& its_core, Site& its_site) noexcept
      : core(its_core), site(its_site), handshakes(its_core, handshakes_max) {}
  Core& core;
  Site& site;
  tls::Handshakes handshakes;
  Scope scope;
  List<Session> sessions;
  HttpDate date;
  size_t bodies_bytes = 0;
  bool draining = false;
};

class Session : public ListNode {
 public:
  // `is_control`: it speaks the control API, and no TLS.
  Session(Worker& worker, int fd, bool is_control) noexcept;
  ~Session();

  // The whole life; deletes it.
  static Task<void> run(Session* session);
  void drain() noexcept;     // ends it if it waits for a request
  void stop_now() noexcept;  // ends it

 private:
  enum class Next : uint8_t {
    request,  // another one may follow
    close,    // all is said
    abort,    // reset: what was said is not whole, or nobody listens
  };

  Task<bool> shake_hands();
  Task<Next> read_head();
  Task<Next> serve();
  Task<Next> read_body(std::string& body);
  Task<Next> refuse(uint16_t status, std::string_view sentence);
  Task<Next> send(Reply& reply, bool head_only);
  Task<bool> send_framed(Framer& framer, Batch& batch, uint64_t rate);
  Task<bool> send_batch(Batch& batch);
  Task<void> hang();
  Task<void> linger();
  Task<int32_t> receive(int64_t limit_ns);
  Task<void> wait_for_buffer();
  Task<void> pause(int64_t ns);
  void take_head(size_t end);

  Worker& worker_;
  tls::Stream stream_;
  const bool is_control_;
  wire::HeadScanner scanner_;
  wire::RequestHead head_;  // views into head_text_
  std::string in_;          // received, and not used yet
  std::string head_text_;
  bool keep_alive_ = true;
  bool waits_for_request_ = false;
  bool stopped_ = false;
  Op* receiving_ = nullptr;
  Signal* pausing_ = nullptr;
  size_t body_bytes_ = 0;  // of worker_.bodies_bytes
};

}  // namespace breakwater::storm::origin
