#include "proxy/receiver.h"

#include <cerrno>
#include <cstring>
#include <utility>

namespace breakwater::proxy {

void Inbox::consume(size_t count) noexcept {
  BW_ASSERT(count <= end_ - begin_);
  begin_ += count;
  if (begin_ == end_) clear();
}

void Inbox::clear() noexcept {
  buffer_.release();
  begin_ = end_ = 0;
}

void Inbox::adopt(Buffer buffer, size_t begin, size_t end) noexcept {
  buffer_ = std::move(buffer);
  begin_ = begin;
  end_ = end;
  if (begin_ == end_) clear();
}

Buffer Inbox::take() noexcept {
  begin_ = end_ = 0;
  return std::move(buffer_);
}

std::span<char> Inbox::room(size_t wanted) noexcept {
  if (buffer_.bytes() - end_ < wanted && begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  return {buffer_.data() + end_, buffer_.bytes() - end_};
}

void Receiver::take_over(Buffer buffer, size_t begin, size_t end) noexcept {
  const size_t bytes = end - begin;
  Buffer own = bytes <= buffers_.bytes() ? buffers_.lease() : Buffer();
  if (!own) return inbox_.adopt(std::move(buffer), begin, end);
  std::memcpy(own.data() + buffers_.lead(), buffer.data() + begin, bytes);
  inbox_.adopt(std::move(own), buffers_.lead(), buffers_.lead() + bytes);
}

Receiver::Receiver(Core& core, BufferGroup& buffers) noexcept
    : arrived(core), core_(core), buffers_(buffers), waiter_(on_buffer, this) {
  op_.on_complete = on_received;
  op_.context = this;
}

void Receiver::start(bool quiet) noexcept {
  if (busy()) return;
  arrived.clear();
  cancelled_ = false;
  quiet_ = quiet;
  submit();
}

void Receiver::submit() noexcept {
  op_.poll_first = quiet_;
  if (inbox_.has_buffer()) {
    const std::span<char> room = inbox_.room(tls::Stream::receive_bytes_min);
    BW_ASSERT(!room.empty());  // whoever reads heads refuses them long before the buffer is full
    op_.kind = Op::Kind::receive;
    op_.data = room.data();
    op_.bytes = room.size();
  } else {
    op_.kind = Op::Kind::receive_selected;
    op_.group = buffers_.id();
    op_.bytes = 0;
  }
  submitted_in_turn_ = core_.turns();
  stream_->submit(op_);
}

void Receiver::cancel() noexcept {
  if (waiter_.waiting()) {
    waiter_.stop();
    finish(-ECANCELED);
    return;
  }
  cancelled_ = true;  // the ring's cancel may be late for this receive, but not for one that would follow it
  stream_->cancel(op_);
}

void Receiver::on_buffer(void* context) {
  static_cast<Receiver*>(context)->submit();
}

void Receiver::on_received(Op& op) {
  Receiver& self = *static_cast<Receiver*>(op.context);
  Buffer picked;
  if (op.buffer_selected) picked = self.buffers_.take_picked(op.buffer_id);
  if (op.result == -ENOBUFS && !self.cancelled_) {
    self.buffers_.wait(self.waiter_);
    return;
  }
  if (op.result > 0) {
    const size_t bytes = static_cast<size_t>(op.result);
    const size_t begin = self.buffers_.lead() - op.early;
    if (picked)
      self.inbox_.adopt(std::move(picked), begin, begin + bytes);
    else
      self.inbox_.grew(bytes);
  }
  self.finish(op.result);
}

void Receiver::finish(int32_t result) noexcept {
  result_ = result;
  if (hook_ != nullptr) {
    hook_(hook_context_);  // may destroy this
    return;
  }
  arrived.set();
}

}  // namespace breakwater::proxy
