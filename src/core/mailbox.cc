#include "core/mailbox.h"

#include "ring/sys.h"

namespace breakwater {

Mailbox::Mailbox() : event_(sys::make_event()) {}

Mailbox::~Mailbox() {
  if (event_ >= 0) sys::close(event_);
}

void Mailbox::post(Message message) noexcept {
  posted_.fetch_or(message, std::memory_order_release);
  sys::signal_event(event_);
}

void Mailbox::listen(Ring& ring, Hook hook, void* context) noexcept {
  ring_ = &ring;
  hook_ = hook;
  context_ = context;
  read_.kind = Op::Kind::read;
  read_.fd = event_;
  read_.data = &value_;
  read_.bytes = sizeof value_;
  read_.on_complete = on_event;
  read_.context = this;
  ring.submit(read_);
}

void Mailbox::close() noexcept {
  closed_ = true;
  ring_->cancel(read_);
}

void Mailbox::on_event(Op& op) {
  Mailbox& self = *static_cast<Mailbox*>(op.context);
  if (self.closed_) return;
  self.ring_->submit(self.read_);
  const uint32_t messages = self.posted_.exchange(0, std::memory_order_acquire);
  if (messages != 0) self.hook_(self.context_, messages);
}

}  // namespace breakwater
