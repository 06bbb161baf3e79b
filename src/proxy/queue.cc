#include "proxy/queue.h"

#include <algorithm>

namespace breakwater::proxy {

namespace {
constexpr uint64_t repository_salt = 0x9e3779b97f4a7c15ull;  // so that it is not counted as a client
}

void Ticket::use() noexcept {
  unlink();
}

void Ticket::rest(int64_t now_ns) noexcept {
  if (!held()) return;
  unlink();
  rests_since_ns_ = now_ns;
  queue_->resting_.push_back(*this);
}

void Ticket::give_back() noexcept {
  if (!held()) return;
  unlink();
  Queue* const queue = std::exchange(queue_, nullptr);
  queue->left(ask_);
}

Queue::Queue(Core& core, backends::Admission& admission, const config::Admission& limits) noexcept
    : core_(core),
      admission_(admission),
      limits_(limits),
      timer_([](void* self) { static_cast<Queue*>(self)->look(); }, this),
      soon_([](void* self) { static_cast<Queue*>(self)->look(); }, this) {}

backends::Limit Queue::enter(const backends::Admission::Ask& ask, Ticket& ticket) noexcept {
  if (Waiter* const first = waiting_.front(); first != nullptr) return first->limit;
  const backends::Limit limit = admission_.enter(ask);
  if (limit == backends::Limit::none) hold(ask, ticket);
  return limit;
}

void Queue::enter_anyway(const backends::Admission::Ask& ask, Ticket& ticket) noexcept {
  admission_.enter_anyway(ask);
  hold(ask, ticket);
}

void Queue::hold(const backends::Admission::Ask& ask, Ticket& ticket) noexcept {
  BW_ASSERT(!ticket.held());
  ticket.queue_ = this;
  ticket.ask_ = ask;
}

void Queue::left(const backends::Admission::Ask& ask) noexcept {
  admission_.leave(ask);
  if (!waiting_.empty()) core_.defer(soon_);
}

bool Queue::add(Waiter& waiter, const backends::Admission::Ask& ask, Ticket& ticket) noexcept {
  if (length_ >= limits_.queue) return false;
  uint64_t& of_client = tag_of(ask.client);
  uint64_t& of_repository = tag_of(ask.repository ^ repository_salt);
  waiter.ask_ = ask;
  waiter.ticket_ = &ticket;
  waiter.tag_ = std::max({virtual_time_, of_client, ask.repository == 0 ? 0 : of_repository});
  of_client = of_repository = waiter.tag_ + 1;
  Waiter* before = waiting_.back();
  while (before != nullptr && before->tag_ > waiter.tag_) before = waiting_.before(*before);
  waiting_.insert_after(before, waiter);
  if (length_++ == 0) admitted_ns_ = core_.now_ns();
  core_.stats().queue_length.add();
  core_.defer(soon_);
  return true;
}

void Queue::remove(Waiter& waiter) noexcept {
  if (!waiter.linked()) return;
  waiter.unlink();
  length_--;
  core_.stats().queue_length.subtract();
  waiter.over.set();
}

uint32_t Queue::position(const Waiter& waiter) noexcept {
  uint32_t position = 1;
  for (Waiter* other = waiting_.front(); other != nullptr && other != &waiter; other = waiting_.after(*other))
    position++;
  return position;
}

// Lets in whoever may come in, in the order of their turns.
void Queue::look() noexcept {
  take_back_unused();
  Waiter* next = nullptr;
  for (Waiter* waiter = waiting_.front(); waiter != nullptr; waiter = next) {
    next = waiting_.after(*waiter);
    waiter->limit = admission_.enter(waiter->ask_);
    if (waiter->limit == backends::Limit::none)
      admit(*waiter);
    else if (waiter->limit == backends::Limit::operations)
      break;  // nobody can
  }
  if (!waiting_.empty()) core_.timers().arm(timer_, core_.now_ns() + look_every_ns);
}

void Queue::admit(Waiter& waiter) noexcept {
  hold(waiter.ask_, *waiter.ticket_);
  waiter.inside = true;
  virtual_time_ = std::max(virtual_time_, waiter.tag_);
  pace_ns_ += (core_.now_ns() - admitted_ns_ - pace_ns_) / 8;
  admitted_ns_ = core_.now_ns();
  remove(waiter);
}

void Queue::take_back_unused() noexcept {
  if (waiting_.empty()) return;
  while (Ticket* const oldest = resting_.front()) {
    if (core_.now_ns() - oldest->rests_since_ns_ < unused_ns) return;
    oldest->give_back();
  }
}

}  // namespace breakwater::proxy
