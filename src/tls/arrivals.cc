#include "tls/arrivals.h"

namespace breakwater::tls {

Arrivals::Arrivals(Core& core, int fd, Hook on_arrival, void* context) noexcept
    : core_(core), on_arrival_(on_arrival), context_(context), ended_(core) {
  poll_.kind = Op::Kind::poll_arrivals;
  poll_.fd = fd;
  poll_.context = this;
  poll_.on_complete = on_poll;
}

void Arrivals::wait() noexcept {
  BW_ASSERT(!may_be_there_ && !waits_ && !leaves_);
  waits_ = true;
  if (!poll_.in_flight) core_.ring().submit(poll_);
}

void Arrivals::on_poll(Op& op) {
  Arrivals& self = *static_cast<Arrivals*>(op.context);
  self.may_be_there_ = true;
  if (!op.more) self.ended_.set();
  if (self.leaves_ || !self.waits_) return;
  self.waits_ = false;
  self.on_arrival_(self.context_, op.result < 0 ? op.result : 0);
}

Task<void> Arrivals::leave() {
  leaves_ = true;
  waits_ = false;
  if (!poll_.in_flight) co_return;
  ended_.clear();
  core_.ring().cancel(poll_);
  co_await ended_;
}

}  // namespace breakwater::tls
