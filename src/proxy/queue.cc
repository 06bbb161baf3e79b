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

void PartPlace::give_back() noexcept {
  if (queue_ == nullptr) return;
  Queue* const queue = std::exchange(queue_, nullptr);
  queue->admission_.leave(part_);
  queue->look_soon();
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
  const backends::Limit limit = limit_of_those_before(wish);
  return limit == backends::Limit::none ? fulfil(wish) : limit;
}

// What is inside does not wait for those that are not, nor they for it.
backends::Limit Queue::limit_of_those_before(const Wish& wish) noexcept {
  using backends::Limit;
  using backends::Part;
  if (wish.ticket == nullptr) {
    if (parts_waiting_[static_cast<size_t>(wish.part)] == 0) return Limit::none;
    return wish.part == Part::clone ? Limit::clones : Limit::advertisements;
  }
  Waiter* first = waiting_.front();
  while (first != nullptr && first->wish_.ticket == nullptr) first = waiting_.after(*first);
  return first == nullptr ? Limit::none : first->limit;
}

// All of it, or nothing.
backends::Limit Queue::fulfil(const Wish& wish) noexcept {
  using backends::Limit;
  const bool begins = wish.ticket != nullptr;
  const bool is_part = wish.part != backends::Part::none;
  Limit limit = begins ? admission_.enter(wish.ask) : Limit::none;
  if (limit != Limit::none) return limit;
  if (is_part) limit = admission_.enter(wish.part);
  if (limit == Limit::none && !take_server(wish)) {
    limit = Limit::server;
    if (is_part) admission_.leave(wish.part);
  }
  if (limit != Limit::none) {
    if (begins) admission_.leave(wish.ask);
    return limit;
  }
  if (begins) hold(wish.ask, *wish.ticket);
  if (is_part) hold(wish.part, *wish.place);
  return Limit::none;
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

void Queue::enter_anyway(const Wish& wish) noexcept {
  admission_.enter_anyway(wish.part);
  hold(wish.part, *wish.place);
}

void Queue::hold(backends::Part part, PartPlace& place) noexcept {
  BW_ASSERT(place.queue_ == nullptr);
  place.queue_ = this;
  place.part_ = part;
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
  waiter.since_ns = core_.now_ns();
  waiter.tag_ = std::max({virtual_time_, of_client, ask.repository == 0 ? 0 : of_repository});
  of_client = of_repository = waiter.tag_ + 1;
  Waiter* before = waiting_.back();
  while (before != nullptr && before->tag_ > waiter.tag_) before = waiting_.before(*before);
  waiting_.insert_after(before, waiter);
  if (length_++ == 0) admitted_ns_ = core_.now_ns();
  if (wish.ticket == nullptr) parts_waiting_[static_cast<size_t>(wish.part)]++;
  core_.stats().queue_length.add();
  core_.defer(soon_);
  return true;
}

void Queue::remove(Waiter& waiter) noexcept {
  if (!waiter.linked()) return;
  waiter.unlink();
  length_--;
  if (waiter.wish_.ticket == nullptr) parts_waiting_[static_cast<size_t>(waiter.wish_.part)]--;
  core_.stats().queue_length.subtract();
  waiter.over.set();
}

void Queue::number() noexcept {
  uint32_t position = 0;
  for (Waiter* waiter = waiting_.front(); waiter != nullptr; waiter = waiting_.after(*waiter))
    waiter->position = ++position;
}

// Lets in whoever may come in, in the order of their turns.
void Queue::look() noexcept {
  take_back_unused();
  Full full;
  Waiter* next = nullptr;
  for (Waiter* waiter = waiting_.front(); waiter != nullptr; waiter = next) {
    next = waiting_.after(*waiter);
    waiter->limit = look_at(waiter->wish_, full);
    if (waiter->limit == backends::Limit::none)
      admit(*waiter);
    else if (full.pool && waiting_for_parts() == 0)
      break;  // nobody can
  }
  if (!waiting_.empty()) core_.timers().arm(timer_, core_.now_ns() + look_every_ns);
}

// What was seen to be full in this look is not tried again.
backends::Limit Queue::look_at(const Wish& wish, Full& full) noexcept {
  using backends::Limit;
  const bool begins = wish.ticket != nullptr;
  if (begins && full.pool) return Limit::operations;
  if (begins && full.servers[wish.writes]) return Limit::server;
  const Limit limit = fulfil(wish);
  if (limit == Limit::operations) full.pool = true;
  if (limit == Limit::server) full.servers[wish.writes] = true;
  return limit;
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
