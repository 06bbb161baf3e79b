// An operation's place inside its pool's limits: taken with its first request, kept until its last.
//
// Only the first request of an operation waits, or is refused: info/refs, and what is an operation by itself.
// What was admitted is never told to go away in the middle: the POST of a clone waits for a limit of its own,
// but not without end.
#include <algorithm>
#include <array>

#include "base/second.h"
#include "core/await.h"
#include "proxy/exchange.h"
#include "proxy/report.h"
#include "wire/http_write.h"

namespace breakwater::proxy {

using config::ns;

namespace {

backends::OperationClass class_of(wire::GitOperation operation) noexcept {
  switch (operation) {
    case wire::GitOperation::other:
      return backends::OperationClass::web;
    case wire::GitOperation::lfs:
      return backends::OperationClass::lfs;
    case wire::GitOperation::advertise_push:
    case wire::GitOperation::receive_pack:
      return backends::OperationClass::push;
    default:
      return backends::OperationClass::fetch;
  }
}

bool is_part_of_operation(wire::GitOperation operation) noexcept {
  return operation != wire::GitOperation::other && operation != wire::GitOperation::lfs &&
         operation != wire::GitOperation::dumb;
}

// May it be told to wait? Of dumb HTTP's many requests nobody knows which is the first.
bool begins_operation(wire::GitOperation operation) noexcept {
  return wire::is_advertisement(operation) || operation == wire::GitOperation::other ||
         operation == wire::GitOperation::lfs;
}

}  // namespace

// True: it has a place, or needs none. Otherwise it was refused, or its client has gone.
Task<bool> Exchange::admit() {
  if (!pool_->shared.has_limits()) co_return true;
  Queue& queue = pool_->queue;
  const backends::Admission::Ask ask{class_of(git_.operation), repository_, session_.peer_network()};
  Ticket& ticket = is_part_of_operation(git_.operation) ? session_.ticket() : own_ticket_;
  ticket_ = &ticket;
  Queue::Wish wish{.ask = ask, .place = &part_place_, .part = part()};
  if (ticket.fits(queue, ask)) {
    ticket.use();
  } else {
    ticket.give_back();
    if (begins_operation(git_.operation))
      wish.ticket = &ticket;
    else
      queue.enter_anyway(ask, ticket);
  }
  if (wish.ticket == nullptr && wish.part == backends::Part::none) co_return true;
  if (wish.ticket != nullptr && health().places().has_limits()) {
    wish.choose = choose_first;
    wish.context = this;
    wish.writes = balancer_ask().needs_primary;
  }
  const backends::Limit limit = queue.enter(wish);
  if (limit == backends::Limit::none) co_return true;
  const bool inside = co_await wait_in_queue(wish, limit);
  co_return inside;
}

// Is it work that is limited by itself, where it is?
backends::Part Exchange::part() noexcept {
  backends::Part part = backends::Part::none;
  if (wire::is_advertisement(git_.operation))
    part = backends::Part::advertisement;
  else if (git_.operation == wire::GitOperation::upload_pack && work_ == backends::Work::pack &&
           !upload_pack_ask().has_haves)
    part = backends::Part::clone;
  return pool_->shared.admission.limits(part) ? part : backends::Part::none;
}

Task<bool> Exchange::wait_in_queue(const Queue::Wish& wish, backends::Limit limit) {
  Queue& queue = pool_->queue;
  phase_ = Phase::queue;
  queued_for_ = limit;
  session_.watch();
  Queue::Waiter waiter(core_);
  waiter.limit = limit;
  const bool may_be_refused = wish.part != backends::Part::clone;
  const bool waits = failure_.code == Code::none && queue.add(waiter, wish);
  if (!waits && !may_be_refused && failure_.code == Code::none) {
    begin_over_limit(wish);
    co_return true;
  }
  if (!waits) {
    co_await refuse_for_limit(limit, queue.length() + 1);
    co_return false;
  }
  core_.stats().queue_waits.add();
  const int64_t begun = core_.now_ns();
  struct Late {
    Queue& queue;
    Queue::Waiter& waiter;
    uint32_t position = 0;
  } late{queue, waiter};
  const auto on_late = [](void* context) {
    Late& what = *static_cast<Late*>(context);
    if (what.waiter.over.is_set()) return;
    what.queue.number();
    what.position = what.waiter.position;
    what.queue.remove(what.waiter);
  };
  waits_for_place_ = &waiter;
  queued_class_ = wish.part == backends::Part::clone ? "clone" : backends::name(wish.ask.what);
  Deadline deadline(core_, begun + ns(pool_->shared.config.admission.queue_timeout), on_late, &late);
  co_await waiter.over;
  deadline.disarm();
  waits_for_place_ = nullptr;
  queued_for_ = waiter.limit == backends::Limit::none ? limit : waiter.limit;
  queued_ns_ = core_.now_ns() - begun;
  pool_->shared.waits.add(queued_ns_);
  if (waiter.inside && failure_.code == Code::none) co_return true;
  if (late.position != 0) core_.stats().timeouts.add();
  if (!may_be_refused && failure_.code == Code::none) {
    begin_over_limit(wish);
    co_return true;
  }
  co_await refuse_for_limit(queued_for_, late.position);
  co_return false;
}

void Exchange::describe_wait(OperationRow& row) const noexcept {
  const int64_t timeout_ns = ns(pool_->shared.config.admission.queue_timeout);
  row.position = waits_for_place_->position;
  row.operation_class = queued_class_;
  row.queued_for = backends::name(waits_for_place_->limit);
  row.waited_ns = core_.now_ns() - waits_for_place_->since_ns;
  row.patience_ns = std::max<int64_t>(timeout_ns - row.waited_ns, 0);
}

void Exchange::begin_over_limit(const Queue::Wish& wish) noexcept {
  pool_->queue.enter_anyway(wish);
  began_over_limit_ = true;
}

// Says which limit, how many wait before it, and when to come again.
Task<void> Exchange::refuse_for_limit(backends::Limit limit, uint32_t position) {
  if (failure_.code != Code::none) {  // nobody is there to be told; but the answer before may still be read
    if (failure_.code != Code::closed) session_.abort_on_close();
    keep_client_ = false;
    co_return;
  }
  constexpr int64_t again_max_s = 120;
  const bool is_theirs = limit == backends::Limit::repository || limit == backends::Limit::client;
  const int64_t wait_s = std::clamp(pool_->queue.expected_wait_ns() / second_ns, int64_t{1}, again_max_s);
  std::array<char, 200> room;
  wire::HeadWriter detail(room);
  detail.text(backends::name(limit));
  detail.text(" of pool ");
  detail.text(pool_->shared.config.name);
  if (limit == backends::Limit::operations && pool_->shared.admission.adapts()) {
    detail.text(", now ");
    detail.number(pool_->shared.admission.operations_limit());
  }
  detail.text("; position ");
  detail.number(position);
  detail.text(" in the queue, about ");
  detail.number(static_cast<uint64_t>(wait_s));
  detail.text(" s");
  failure_ = {queued_ns_ > 0 ? Code::timed_out : Code::too_large, Side::internal, 0};
  Reply reply{static_cast<uint16_t>(is_theirs ? 429 : 503),
              "as many operations are running as a limit allows",
              "try again later; Git 2.54 and newer does so by itself with http.maxRetries",
              static_cast<uint32_t>(wait_s)};
  reply.detail = {room.data(), detail.bytes()};
  core_.stats().queue_refusals.add();
  co_await answer(reply, true);
}

// The last request of its operation gives the place back; another one keeps it for what follows.
void Exchange::leave_place() noexcept {
  part_place_.give_back();
  own_ticket_.give_back();
  if (!is_part_of_operation(git_.operation)) return;
  const bool is_pack = git_.operation == wire::GitOperation::upload_pack && work_ == backends::Work::pack;
  const bool was_last = is_pack || git_.operation == wire::GitOperation::receive_pack ||
                        git_.operation == wire::GitOperation::upload_archive || status_ >= 500;
  if (was_last)
    session_.ticket().give_back();
  else
    session_.ticket().rest(core_.now_ns());
}

}  // namespace breakwater::proxy
