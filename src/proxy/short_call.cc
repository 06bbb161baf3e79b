#include "proxy/short_call.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ring/sys.h"

namespace breakwater::proxy {

int ShortCall::open(const Address& to, int64_t due_ns) noexcept {
  BW_ASSERT(fd_ < 0);
  const int fd = sys::stream_socket(to);
  if (fd < 0) return fd;
  fd_ = fd;
  cancelled_ = late_ = false;
  core_.timers().arm(timer_, due_ns);
  return 0;
}

void ShortCall::close() noexcept {
  BW_ASSERT(!op_.in_flight);
  timer_.disarm();
  held_.release();
  if (stream_ != nullptr) stream_->say_end();
  stream_.reset();
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

void ShortCall::cancel() noexcept {
  cancelled_ = true;
  core_.ring().cancel(op_);
  if (stream_ == nullptr) return;
  stream_->stop_handshake();
  if (opened_ != nullptr) stream_->cancel(*opened_);
}

void ShortCall::on_late(void* context) {
  ShortCall& self = *static_cast<ShortCall*>(context);
  self.late_ = true;
  self.cancel();
}

// Between two operations nothing is in flight that a cancel could reach, so it is looked for before and
// after.
Task<int32_t> ShortCall::perform(Op::Kind kind) {
  if (cancelled_) co_return -ECANCELED;
  op_.kind = kind;
  op_.fd = fd_;
  const int32_t result = co_await op_;
  co_return cancelled_ ? -ECANCELED : result;
}

Task<int32_t> ShortCall::connect(const Address& to) {
  op_.address = &to.any;
  op_.address_bytes = to.bytes;
  const int32_t result = co_await perform(Op::Kind::connect);
  co_return result;
}

Task<tls::Shake> ShortCall::shake_hands(std::shared_ptr<const tls::ClientContext> context,
                                        std::string_view name) {
  stream_ = std::make_unique<tls::Stream>(core_, core_.answer_buffers(), fd_);
  const tls::Shake shake = co_await stream_->connect(std::move(context), name, nullptr, 0);
  co_return shake;
}

Task<int32_t> ShortCall::send(std::string_view bytes) {
  while (!bytes.empty()) {
    if (stream_ != nullptr) {
      tls::StreamCall call(*stream_);
      call.kind = Op::Kind::send;
      call.data = const_cast<char*>(bytes.data());
      call.bytes = bytes.size();
      opened_ = &call;
      const int32_t sent = co_await call;
      opened_ = nullptr;
      if (sent < 0 || cancelled_) co_return cancelled_ ? -ECANCELED : sent;
      bytes.remove_prefix(static_cast<size_t>(sent));
      continue;
    }
    op_.data = const_cast<char*>(bytes.data());
    op_.bytes = bytes.size();
    const int32_t sent = co_await perform(Op::Kind::send);
    if (sent < 0) co_return sent;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  co_return 0;
}

// What is opened may be more than is wanted now.
Task<int32_t> ShortCall::receive_opened(std::span<char> into) {
  if (!held_) {
    if (cancelled_) co_return -ECANCELED;
    BufferGroup& buffers = core_.answer_buffers();
    tls::StreamCall call(*stream_);
    call.kind = Op::Kind::receive_selected;
    call.group = buffers.id();
    opened_ = &call;
    const int32_t received = co_await call;
    opened_ = nullptr;
    if (call.buffer_selected) held_ = buffers.take_picked(call.buffer_id);
    if (received <= 0 || cancelled_) co_return cancelled_ ? -ECANCELED : received;
    held_begin_ = buffers.lead() - call.early;
    held_end_ = held_begin_ + static_cast<size_t>(received);
  }
  const size_t taken = std::min(into.size(), held_end_ - held_begin_);
  std::memcpy(into.data(), held_.data() + held_begin_, taken);
  held_begin_ += taken;
  if (held_begin_ == held_end_) held_.release();
  co_return static_cast<int32_t>(taken);
}

Task<int32_t> ShortCall::receive(std::span<char> into) {
  if (stream_ != nullptr) {
    const int32_t opened = co_await receive_opened(into);
    co_return opened;
  }
  op_.data = into.data();
  op_.bytes = into.size();
  const int32_t received = co_await perform(Op::Kind::receive);
  co_return received;
}

}  // namespace breakwater::proxy
