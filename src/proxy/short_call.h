// ShortCall: a connection for one question, outside of any request and of the pools: opened, asked, closed,
// all within one time. cancel() ends whatever is waited for, at any moment.
//
// One user, one call at a time: open(); then connect(), maybe shake_hands(), send() and receive(), each
// awaited; then close(). It stays alive until what was awaited has ended.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "core/await.h"
#include "core/core.h"
#include "coro/task.h"
#include "ring/address.h"
#include "tls/stream.h"

namespace breakwater::proxy {

class ShortCall {
 public:
  explicit ShortCall(Core& core) noexcept : core_(core), timer_(on_late, this) {}
  ShortCall(const ShortCall&) = delete;
  ShortCall& operator=(const ShortCall&) = delete;
  ~ShortCall() { BW_ASSERT(!stream_); }

  // 0, or -errno: a want of our own, which says nothing of the other side. From `due_ns` on it is too late.
  int open(const Address& to, int64_t due_ns) noexcept;
  // Suspend. Less than 0 is -errno; -ECANCELED once it is too late, or cancelled.
  Task<int32_t> connect(const Address& to);  // 0
  // From here on by TLS. `name` must be the server's; it outlives the call. A fault, or late() or cancelled.
  Task<tls::Shake> shake_hands(std::shared_ptr<const tls::ClientContext> context, std::string_view name);
  Task<int32_t> send(std::string_view bytes);   // 0 when all are sent
  Task<int32_t> receive(std::span<char> into);  // bytes, 0 at the end
  void close() noexcept;

  void cancel() noexcept;
  bool late() const noexcept { return late_; }

 private:
  Task<int32_t> perform(tls::StreamCall& call);
  Task<int32_t> receive_into(std::span<char> memory);
  static void on_late(void* context);

  Core& core_;
  Timer timer_;
  std::optional<tls::Stream> stream_;  // from open() to close()
  Op* waits_for_ = nullptr;
  std::unique_ptr<char[]> opened_;  // of TLS: what came, and nobody took yet
  size_t opened_begin_ = 0, opened_end_ = 0;
  bool cancelled_ = false;  // by whomever
  bool late_ = false;       // by the time
};

}  // namespace breakwater::proxy
