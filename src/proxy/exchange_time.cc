// What a request may wait for, and what is learnt of a server while it waits.
#include <algorithm>

#include "proxy/exchange.h"
#include "proxy/limits.h"

namespace breakwater::proxy {

using config::ns;

// What a server may think about before its answer begins.
config::Duration Exchange::answer_timeout() const noexcept {
  const config::PoolTimeouts& timeouts = pool_->shared.config.timeouts;
  return wire::is_advertisement(git_.operation) ? timeouts.advertise : timeouts.response;
}

int64_t Exchange::last_moved_ns() const noexcept {
  int64_t moved = active_ns_;
  if (upload_.started()) moved = std::max(moved, upload_.last_progress_ns());
  if (download_.started()) moved = std::max(moved, download_.last_progress_ns());
  return moved;
}

// One timer watches the whole exchange: `response` while an answer is owed, `idle` and the client's pace
// while bodies move. Most answers are there before it is worth asking the kernel to tell us if the client
// leaves.
void Exchange::watch_time() noexcept {
  if (session_.watches()) return on_time(this);
  core_.timers().arm(timer_, core_.now_ns() + watch_after_ns);
}

void Exchange::on_time(void* context) {
  Exchange& self = *static_cast<Exchange*>(context);
  self.session_.watch();
  const bool owed = self.waits_for_head_ && !self.upload_.running();
  const int64_t answer_limit = ns(self.answer_timeout());
  const int64_t limit = owed ? answer_limit : ns(self.config_.timeouts.idle);
  const int64_t active = self.last_moved_ns();
  if (limit > 0 && self.core_.now_ns() >= active + limit) {
    self.core_.stats().timeouts.add();
    // Refs that do not come may be had elsewhere. Who let a fetch wait for long is not asked to wait again.
    const bool elsewhere = owed && self.replayable_ && !self.interim_passed_ &&
                           wire::is_advertisement(self.git_.operation) && self.find_another(Move::again);
    if (elsewhere) {
      self.health().report(self.server_index_, backends::Outcome::broke, self.core_.now_ns());
      return self.end_attempt();
    }
    Side side = Side::upstream;
    if (self.download_.running())
      side = self.download_.waits_for_sink() ? Side::downstream : Side::upstream;
    else if (self.upload_.running())
      side = self.upload_.waits_for_sink() ? Side::upstream : Side::downstream;
    return self.fail({Code::timed_out, side, 0});
  }
  // Which of the two limits applies may change without an event here, so look again at the shorter one.
  int64_t next = limit > 0 ? active + limit : INT64_MAX;
  const int64_t idle_limit = ns(self.config_.timeouts.idle);
  if (owed && idle_limit > 0) next = std::min(next, self.core_.now_ns() + idle_limit);
  if (owed) self.mind_the_wait(next);
  if (self.download_.running()) self.mind_the_progress(next);
  if (self.attempt_failure_.code != Code::none) return;
  self.mind_the_client(next);
  if (self.failure_.code != Code::none) return;
  if (self.upload_.running() && answer_limit > 0) {
    next = std::min(next, self.core_.now_ns() + answer_limit);
  }
  if (next != INT64_MAX) self.core_.timers().arm(self.timer_, std::max(next, self.core_.now_ns() + 1));
}

// While an answer is owed: a wait that tells something of the server is told before it is over, and a server
// that was put out meanwhile is left, if what was asked of it may be asked of another. `next_ns`: when to
// look again.
void Exchange::mind_the_wait(int64_t& next_ns) noexcept {
  const int64_t now = core_.now_ns();
  const int64_t waited = now - times_.sent;
  const int64_t patience = health().patience_ns(work_);
  const bool asks_for_refs = wire::is_advertisement(git_.operation);
  // Refs that still do not come are told of whenever the wait has doubled: a server that hangs is found also
  // by one who waits alone.
  if (patience > 0 && (told_wait_ns_ == 0 || asks_for_refs)) {
    const int64_t tell_at = std::max(patience, 2 * told_wait_ns_);
    if (waited >= tell_at) {
      told_wait_ns_ = waited;
      health().waited(server_index_, work_, waited, now);
    } else {
      next_ns = std::min(next_ns, times_.sent + tell_at);
    }
  }
  if (!replayable_ || interim_passed_ || health().present_count() <= 1) return;
  const backends::State state = health().state(server_index_, now);
  // A pack may be long in the making, on whatever server; refs are not.
  const bool hopeless =
      server_went_down() || (state == backends::State::ejected && told_wait_ns_ > 0 && asks_for_refs);
  if (hopeless && find_another(Move::better)) return end_attempt();
  next_ns = std::min(next_ns, now + look_at_server_every_ns);
}

// While a server has told no more than how far it is with a pack: once it is down, another one may take over.
void Exchange::mind_the_progress(int64_t& next_ns) noexcept {
  if (!may_take_over_ || !download_.only_progress_passed()) return;
  if (server_went_down() && !download_.waits_for_sink() && find_another(Move::better))
    return download_.stop({Code::timed_out, Side::upstream, 0});
  next_ns = std::min(next_ns, core_.now_ns() + look_at_server_every_ns);
}

bool Exchange::server_went_down() const noexcept {
  return health().state(server_index_, core_.now_ns()) == backends::State::down &&
         health().server(server_index_).put_out_ns() >= times_.connect_begun;
}

// The server is given up, but not the request: it goes to next_server_.
void Exchange::end_attempt() noexcept {
  attempt_failure_ = {Code::timed_out, Side::upstream, 0};
  server_->receiver().cancel();
}

}  // namespace breakwater::proxy
