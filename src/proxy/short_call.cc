#include "proxy/short_call.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ring/sys.h"

namespace breakwater::proxy {

namespace {
// Of one receive over TLS: an answer to a probe and more.
constexpr size_t opened_bytes = 20 * 1024;
static_assert(opened_bytes >= tls::Stream::receive_bytes_min);
}  // namespace

int ShortCall::open(const Address& to, int64_t due_ns) noexcept {
  BW_ASSERT(!stream_);
  const int fd = sys::stream_socket(to);
  if (fd < 0) return fd;
  stream_.emplace(core_, fd);
  cancelled_ = late_ = false;
  opened_begin_ = opened_end_ = 0;
  core_.timers().arm(timer_, due_ns);
  return 0;
}

void ShortCall::close() noexcept {
  BW_ASSERT(waits_for_ == nullptr);
  timer_.disarm();
  opened_.reset();
  if (!stream_) return;
  const int fd = stream_->fd();
  stream_->say_end();
  stream_.reset();
  sys::close(fd);
}

void ShortCall::cancel() noexcept {
  cancelled_ = true;
  if (!stream_) return;
  stream_->stop_handshake();
  if (waits_for_ != nullptr) stream_->cancel(*waits_for_);
}

void ShortCall::on_late(void* context) {
  ShortCall& self = *static_cast<ShortCall*>(context);
  self.late_ = true;
  self.cancel();
}

// Between two operations nothing is in flight that a cancel could reach, so it is looked for before and
// after.
Task<int32_t> ShortCall::perform(tls::StreamCall& call) {
  if (cancelled_) co_return -ECANCELED;
  waits_for_ = &call;
  const int32_t result = co_await call;
  waits_for_ = nullptr;
  co_return cancelled_ ? -ECANCELED : result;
}

Task<int32_t> ShortCall::connect(const Address& to) {
  tls::StreamCall call(*stream_);
  call.kind = Op::Kind::connect;
  call.address = &to.any;
  call.address_bytes = to.bytes;
  const int32_t result = co_await perform(call);
  co_return result;
}

Task<tls::Shake> ShortCall::shake_hands(std::shared_ptr<const tls::ClientContext> context,
                                        std::string_view name) {
  opened_ = std::make_unique_for_overwrite<char[]>(opened_bytes);
  const tls::Shake shake = co_await stream_->connect(std::move(context), name, nullptr, 0);
  co_return shake;
}

Task<int32_t> ShortCall::send(std::string_view bytes) {
  while (!bytes.empty()) {
    tls::StreamCall call(*stream_);
    call.kind = Op::Kind::send;
    call.data = const_cast<char*>(bytes.data());
    call.bytes = bytes.size();
    const int32_t sent = co_await perform(call);
    if (sent < 0) co_return sent;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  co_return 0;
}

Task<int32_t> ShortCall::receive_into(std::span<char> memory) {
  tls::StreamCall call(*stream_);
  call.kind = Op::Kind::receive;
  call.data = memory.data();
  call.bytes = memory.size();
  const int32_t received = co_await perform(call);
  co_return received;
}

Task<int32_t> ShortCall::receive(std::span<char> into) {
  if (opened_ == nullptr) {
    const int32_t received = co_await receive_into(into);
    co_return received;
  }
  if (opened_begin_ == opened_end_) {
    const int32_t received = co_await receive_into({opened_.get(), opened_bytes});
    if (received <= 0) co_return received;
    opened_begin_ = 0;
    opened_end_ = static_cast<size_t>(received);
  }
  const size_t taken = std::min(into.size(), opened_end_ - opened_begin_);
  std::memcpy(into.data(), opened_.get() + opened_begin_, taken);
  opened_begin_ += taken;
  co_return static_cast<int32_t>(taken);
}

}  // namespace breakwater::proxy
