#include "proxy/short_call.h"

#include <cerrno>

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
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

void ShortCall::cancel() noexcept {
  cancelled_ = true;
  core_.ring().cancel(op_);
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

Task<int32_t> ShortCall::send(std::string_view bytes) {
  while (!bytes.empty()) {
    op_.data = const_cast<char*>(bytes.data());
    op_.bytes = bytes.size();
    const int32_t sent = co_await perform(Op::Kind::send);
    if (sent < 0) co_return sent;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  co_return 0;
}

Task<int32_t> ShortCall::receive(std::span<char> into) {
  op_.data = into.data();
  op_.bytes = into.size();
  const int32_t received = co_await perform(Op::Kind::receive);
  co_return received;
}

}  // namespace breakwater::proxy
