// Connections to servers, pooled for each core and server.
//
// An idle pooled connection has a receive armed, so its end is seen before it is used again; bytes on it
// while it is idle belong to no request, and it is closed: were it reused, they would be the next client's
// answer. A lease that is dropped without finish() closes its connection. A connection object is freed only
// after its last completion.
//
// A server's address may change (proxy/server.h). A connection is to one address: once that is not the
// server's any more, it ends when its request does, or now if it is idle.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/list.h"
#include "config/config.h"
#include "core/core.h"
#include "coro/task.h"
#include "proxy/receiver.h"
#include "proxy/server.h"
#include "tls/session.h"
#include "tls/stream.h"

namespace breakwater::proxy {

class UpstreamPool;

class UpstreamConnection : public ListNode {
 public:
  UpstreamConnection(Core& core, UpstreamPool& pool, const ServerAddress& to, int fd) noexcept;
  // From the frame pool, like sessions.
  static void* operator new(size_t bytes) { return FramePool::of_this_thread().acquire(bytes); }
  static void operator delete(void* memory, size_t bytes) noexcept {
    FramePool::of_this_thread().release(memory, bytes);
  }

  tls::Stream& stream() noexcept { return stream_; }
  Receiver& receiver() noexcept { return receiver_; }
  bool reused() const noexcept { return reused_; }
  UpstreamPool& pool() noexcept { return pool_; }
  const ServerAddress& to() const noexcept { return to_; }

 private:
  friend class UpstreamPool;
  friend class UpstreamLease;
  static void on_idle_receive(void* context);
  static void on_closed_receive(void* context);
  static void on_idle_timeout(void* context);
  void close(bool reset) noexcept;  // frees this, now or after the last completion

  UpstreamPool& pool_;
  const ServerAddress& to_;
  tls::Stream stream_;
  bool reused_ = false;
  bool reset_ = false;
  Receiver receiver_;
  Timer idle_timer_;
};

class UpstreamLease {
 public:
  enum class Ending : uint8_t {
    reusable,  // a whole answer to a whole request, nothing left over: back to the pool
    done,      // the same, but the server wants it closed
    aborted,  // something is missing: closed with a reset, so that the server stops at once and takes nothing
              // for whole
  };

  UpstreamLease() = default;
  explicit UpstreamLease(UpstreamConnection& connection) noexcept : connection_(&connection) {}
  UpstreamLease(UpstreamLease&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  UpstreamLease& operator=(UpstreamLease&& other) noexcept;
  ~UpstreamLease() { finish(Ending::aborted); }
  explicit operator bool() const noexcept { return connection_ != nullptr; }
  UpstreamConnection* operator->() const noexcept { return connection_; }

  void finish(Ending ending) noexcept;

 private:
  UpstreamConnection* connection_ = nullptr;
};

class UpstreamPool {
 public:
  UpstreamPool(Core& core, const config::PoolTimeouts& timeouts, uint32_t idle_max, const Server& server,
               const PoolTls* tls) noexcept
      : core_(core), timeouts_(timeouts), idle_max_(idle_max), server_(server), tls_(tls) {}
  ~UpstreamPool() { BW_ASSERT(open_count_ == 0); }
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;
  UpstreamPool(UpstreamPool&&) = delete;

  const Server& server() const noexcept { return server_; }
  // Is this one of the kinds of servers that were shown to end packs with the connection, and to be faster
  // for it (docs/decisions/0006)? Told by the Server field of its answers, so not before its first one.
  bool ends_packs_well() const noexcept { return ends_packs_well_ && !ended_one_badly_; }
  void heard_from(std::string_view server_field) noexcept {
    ends_packs_well_ = server_field.starts_with("Apache") || server_field.starts_with("nginx");
  }
  // It had to be asked again by HTTP/1.1, and would have to be each time.
  void ends_packs_badly() noexcept { ended_one_badly_ = true; }
  // A pooled connection, most often the one used last, or an empty lease.
  UpstreamLease take_idle() noexcept;
  // A fresh connection, its TLS included, within the connect timeout. Suspends. Where TLS failed the error
  // has EPROTO, and tls_fault() tells.
  Task<Result<UpstreamLease>> connect();
  tls::Fault tls_fault() const noexcept { return tls_fault_; }
  // Closes what is idle, and from now on everything that comes back.
  void close() noexcept;

 private:
  friend class UpstreamConnection;
  friend class UpstreamLease;
  Task<Error> shake_hands(UpstreamConnection& connection, int64_t due_ns);
  void remember_session(UpstreamConnection& connection) noexcept;
  void follow_server() noexcept;
  void close_idle() noexcept;
  void keep(UpstreamConnection& connection) noexcept;
  void left_idle(UpstreamConnection& connection) noexcept;
  UpstreamLease take(UpstreamConnection& connection) noexcept;

  Core& core_;
  const config::PoolTimeouts& timeouts_;
  const uint32_t idle_max_;
  const Server& server_;
  const PoolTls* const tls_;           // null: in the clear
  tls::Session session_;               // of TLS, to come back with
  tls::Fault tls_fault_;               // the last
  const ServerAddress* to_ = nullptr;  // where the server led when this was last used
  bool closed_ = false;
  bool ends_packs_well_ = false;
  bool ended_one_badly_ = false;
  uint32_t idle_count_ = 0;
  uint32_t open_count_ = 0;
  List<UpstreamConnection> idle_;
};

}  // namespace breakwater::proxy
