#include "tls/handshakes.h"

#include <utility>

namespace breakwater::tls {

Handshakes::Wait Handshakes::enter() noexcept {
  const bool free = running_ < most_ && places_.empty();
  if (free) running_++;
  return {*this, places_, free};
}

// Who waits longest gets the place.
void Handshakes::leave() noexcept {
  BW_ASSERT(running_ > 0);
  running_--;
  if (!places_.empty()) core_.defer(turn_);
}

void Handshakes::Wait::await_suspend(std::coroutine_handle<> waiter) noexcept {
  waiter_ = waiter;
  queue_.push_back(*this);
  if (&queue_ == &all_.steps_)
    all_.core_.defer(all_.turn_);
  else
    all_.be_impatient();
}

void Handshakes::Wait::stop() noexcept {
  if (!linked() || stopped_) return;
  stopped_ = true;
  unlink();
  all_.stopped_.push_back(*this);
  all_.core_.defer(all_.turn_);
}

Handshakes::ForClient::ForClient(Handshakes& all, Stop stop, void* context) noexcept
    : stop_(stop), context_(context), since_ns_(all.core_.now_ns()) {
  all.for_clients_.push_back(*this);
  all.be_impatient();
}

// Looks again when the longest wait has been long enough, if anybody wants a place then.
void Handshakes::be_impatient() noexcept {
  if (impatience_.armed() || places_.empty() || for_clients_.empty()) return;
  core_.timers().arm(impatience_, for_clients_.front()->since_ns_ + patience_ns);
}

void Handshakes::on_impatience(void* context) {
  Handshakes& self = *static_cast<Handshakes*>(context);
  if (self.places_.empty()) return;
  const int64_t long_ago = self.core_.now_ns() - patience_ns;
  ForClient* const longest = self.for_clients_.front();
  if (longest != nullptr && longest->since_ns_ <= long_ago) {
    self.for_clients_.pop_front();
    longest->stop_(longest->context_);  // its place is free soon
  }
  self.be_impatient();
}

void Handshakes::on_turn(void* context) {
  Handshakes& self = *static_cast<Handshakes*>(context);
  const auto go_on = [](Wait& wait) { std::exchange(wait.waiter_, nullptr).resume(); };
  while (Wait* const wait = self.stopped_.pop_front()) go_on(*wait);
  while (self.running_ < self.most_ && !self.places_.empty()) {
    self.running_++;
    go_on(*self.places_.pop_front());
  }
  if (Wait* const wait = self.steps_.pop_front()) go_on(*wait);
  if (!self.steps_.empty()) self.core_.defer(self.turn_);
}

}  // namespace breakwater::tls
