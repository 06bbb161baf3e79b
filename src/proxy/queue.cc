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
  leave_server();
  Queue* const queue = std::exchange(queue_, nullptr);
  queue->left(ask_);
}

void Ticket::move_to(uint32_t server) noexcept {
  if (!held() || server == server_ || !queue_->places_.has_limits()) return;
  leave_server();
  server_ = server;
  queue_->places_.enter_anyway(server);
}

void Ticket::leave_server() noexcept {
  if (server_ == backends::no_server) return;
  queue_->places_.leave(std::exchange(server_, backends::no_server));
  queue_->look_soon();
}

Queue::Queue(Core& core, backends::Admission& admission, backends::Places& places,
             const config::Admission& limits) noexcept
    : core_(core),
      admission_(admission),
      places_(places),
      limits_(limits),
      timer_([](void* self) { static_cast<Queue*>(self)->look(); }, this),
      soon_([](void* self) { static_cast<Queue*>(self)->look(); }, this) {}

backends::Limit Queue::enter(const Wish& wish) noexcept {
  if (Waiter* const first = waiting_.front(); first != nullptr) return first->limit;
  return fulfil(wish);
}

// All of it, or nothing.
backends::Limit Queue::fulfil(const Wish& wish) noexcept {
  const backends::Limit limit = admission_.enter(wish.ask);
  if (limit != backends::Limit::none) return limit;
  if (!take_server(wish)) {
    admission_.leave(wish.ask);
    return backends::Limit::server;
  }
  hold(wish.ask, *wish.ticket);
  return backends::Limit::none;
}

// Another core may take the place on the server that was chosen; then another one is. That there is no server
// at all is for the exchange to tell.
bool Queue::take_server(const Wish& wish) noexcept {
  if (wish.choose == nullptr) return true;
  for (uint32_t again = 0; again < backends::servers_max; again++) {
    const uint32_t server = wish.choose(wish.context);
    if (server == backends::no_server) return true;
    if (server == backends::all_full) return false;
    if (!places_.enter(server)) continue;
    wish.ticket->server_ = server;
    return true;
  }
  return false;
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
  look_soon();
}

void Queue::look_soon() noexcept {
  if (!waiting_.empty()) core_.defer(soon_);
}

bool Queue::add(Waiter& waiter, const Wish& wish) noexcept {
  if (length_ >= limits_.queue) return false;
  const backends::Admission::Ask& ask = wish.ask;
  uint64_t& of_client = tag_of(ask.client);
  uint64_t& of_repository = tag_of(ask.repository ^ repository_salt);
  waiter.wish_ = wish;
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
  std::array<bool, 2> all_full{};  // for those that read, and that write: seen in this look
  Waiter* next = nullptr;
  for (Waiter* waiter = waiting_.front(); waiter != nullptr; waiter = next) {
    next = waiting_.after(*waiter);
    bool& is_full = all_full[waiter->wish_.writes];
    waiter->limit = is_full ? backends::Limit::server : fulfil(waiter->wish_);
    if (waiter->limit == backends::Limit::server) is_full = true;
    if (waiter->limit == backends::Limit::none)
      admit(*waiter);
    else if (waiter->limit == backends::Limit::operations)
      break;  // nobody can
  }
  if (!waiting_.empty()) core_.timers().arm(timer_, core_.now_ns() + look_every_ns);
}

void Queue::admit(Waiter& waiter) noexcept {
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
