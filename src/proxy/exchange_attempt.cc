// How a request gets its answer: which server is asked, the connection, the head that comes back, what it
// says of the server, and whether another one is asked. From choose_server() to an answer that is fit to be
// begun.
#include <algorithm>
#include <cerrno>
#include <utility>

#include "core/await.h"
#include "proxy/exchange.h"
#include "proxy/head_rewrite.h"
#include "proxy/limits.h"
#include "proxy/send.h"

namespace breakwater::proxy {

using config::ns;

wire::HeadLimits Exchange::response_limits() const noexcept {
  return {config_.limits.head_bytes, config_.limits.head_bytes};
}

// info/refs and the POSTs that follow it see one server, as long as that can be reached: as this connection
// knows, or, if it has not seen the operation begin, as the pool's table does. `over_max`: it goes to a full
// server rather than to none; otherwise all_full says that it must wait.
uint32_t Exchange::choose_server(bool over_max) noexcept {
  const int64_t now = core_.now_ns();
  if (git_.operation != wire::GitOperation::other) {
    uint32_t bound = session_.affinity().server_for(pool_index_, repository_);
    if (bound == backends::no_server && health().size() > 1 && !wire::is_advertisement(git_.operation))
      bound = pool_->shared.operations.server_for(operation_key(), now);
    // A new operation leaves a server that is not well, also on an old connection.
    const bool begins = wire::is_advertisement(git_.operation);
    if (bound != backends::no_server && begins && health().state(bound, now) > backends::State::slow)
      bound = backends::no_server;
    if (bound != backends::no_server && !pool_->balancer.suits(bound, balancer_ask()))
      bound = backends::no_server;
    if (bound != backends::no_server && !over_max && health().places().is_full(bound))
      bound = backends::no_server;
    if (bound != backends::no_server && health().keeps_operations(bound, now)) return bound;
  }
  const uint32_t named = choose_sticky_server();
  if (named != backends::no_server && (over_max || !health().places().is_full(named))) return named;
  return pick_server(over_max);
}

// One that is not full, if there is any.
uint32_t Exchange::pick_server(bool over_max, bool may_be_down) noexcept {
  backends::Balancer::Ask ask = balancer_ask();
  ask.may_be_down = may_be_down;
  const uint32_t server = pool_->balancer.pick(ask, tried_, core_.now_ns());
  if (server != backends::all_full || !over_max) return server;
  ask.over_max = true;
  return pool_->balancer.pick(ask, tried_, core_.now_ns());
}

// For the queue: of an operation whose turn has come.
uint32_t Exchange::choose_first(void* context) noexcept {
  Exchange& self = *static_cast<Exchange*>(context);
  const uint32_t server = self.choose_server(false);
  if (server != backends::all_full) self.first_server_ = server;
  return server;
}

backends::Balancer::Ask Exchange::balancer_ask() const noexcept {
  const bool writes = git_.operation == wire::GitOperation::receive_pack ||
                      git_.operation == wire::GitOperation::advertise_push;
  // A replica may lack what the primary has.
  return {work_, repository_, writes || answer_ == wire::GitAnswer::not_our_ref};
}

// Whose operation on which repository: many clients share an address, so what they say of themselves counts
// too.
uint64_t Exchange::operation_key() const noexcept {
  const uint64_t who = session_.peer_hash() ^ repository_;
  const uint64_t as = backends::hash(request_.fields.find("authorization"), false, who);
  return backends::hash(request_.fields.find("user-agent"), false, as);
}

void Exchange::remember_operation() noexcept {
  if (git_.operation == wire::GitOperation::other || health().size() == 1) return;
  session_.affinity().remember(pool_index_, repository_, server_index_);
  if (wire::is_advertisement(git_.operation) && response_.status == 200)
    pool_->shared.operations.remember(operation_key(), server_index_, core_.now_ns());
}

// Requests whose first byte takes about as long, wherever they are answered.
backends::Work Exchange::work_of_request() noexcept {
  if (wire::is_advertisement(git_.operation)) return backends::Work::advertise;
  if (git_.operation != wire::GitOperation::upload_pack) return backends::Work::other;
  if (!replayable_) return backends::Work::negotiate;  // a long list of what the client has
  return upload_pack_ask().pack_is_sure ? backends::Work::pack : backends::Work::negotiate;
}

const wire::UploadPackAsk& Exchange::upload_pack_ask() noexcept {
  if (ask_is_read_) return ask_;
  ask_is_read_ = true;
  const std::string_view body = session_.receiver().inbox().view().substr(head_end_, request_.body.length);
  const bool encoded = request_.fields.find("content-encoding").data() != nullptr;
  ask_ = wire::read_upload_pack_request(git_.protocol_version, encoded, body);
  return ask_;
}

void Exchange::enter_server(uint32_t server) noexcept {
  leave_server();
  server_index_ = server;
  server_label_ = pool_->shared.servers[server].label();
  if (ticket_ != nullptr) ticket_->move_to(server);
  counted_ = true;
  health().begin(server);
}

void Exchange::leave_server() noexcept {
  if (counted_) health().end(server_index_);
  counted_ = false;
}

// The body is none, or all of it came with the head, so it can be sent a second time.
bool Exchange::whole_request_at_hand() const noexcept {
  if (request_.body.kind == wire::BodyKind::none) return true;
  if (request_.body.kind != wire::BodyKind::length) return false;
  return request_.body.length <= session_.receiver().inbox().view().size() - head_end_;
}

// May the server end its answer with the connection? Only if we can tell by Git's own framing that it is
// whole, and can ask again if it turns out that we can't.
wire::UploadPackAnswer Exchange::choose_git_end() noexcept {
  const config::UploadPackFraming wish = pool_->shared.config.upload_pack_framing;
  const bool may = replayable_ && git_.operation == wire::GitOperation::upload_pack;
  const bool always = wish == config::UploadPackFraming::until_close;
  const bool sure_only =
      wish == config::UploadPackFraming::automatic && pool_->connections[server_index_].ends_packs_well();
  if (!may || (!always && !sure_only)) return wire::UploadPackAnswer::unprovable;
  const wire::UploadPackAsk& ask = upload_pack_ask();
  return always || ask.pack_is_sure ? ask.answer : wire::UploadPackAnswer::unprovable;
}

void Exchange::note_kind_of_server() noexcept {
  server_->pool().heard_from(response_.fields.find("server"));
}

// Of the answer by HTTP/1.0 whose head is there, or of what came instead of one. An error may be about the
// version that we chose, so it is asked for again by 1.1 as well.
bool Exchange::is_judged(const Error& error) const noexcept {
  if (!asked_by_1_0()) return true;
  if (error.code != Code::none) return error.side != Side::upstream || error.code == Code::timed_out;
  if (response_.status == 401) return response_.body.kind != wire::BodyKind::until_close;
  if (response_.status != 200) return false;
  return response_.body.kind != wire::BodyKind::until_close || has_git_result();
}

// Is the answer what an upload-pack request asks for, in a form that can be read in passing?
bool Exchange::has_git_result() const noexcept {
  return response_.status == 200 && response_.fields.find("content-encoding").data() == nullptr &&
         wire::has_type_of(wire::GitOperation::upload_pack, response_);
}

// What may follow an attempt that failed before its answer began towards the client.
Exchange::Attempt Exchange::after_failure(const Error& error) noexcept {
  const bool ended = error.code == Code::closed || error.code == Code::reset;
  // A pooled connection that the server had given up; nothing of an answer came. It says nothing of the
  // server.
  const bool is_stale = reused_ && ended && response_bytes_seen_ == 0 && error.side == Side::upstream;
  if (is_stale && replayable_) return Attempt::stale;
  report_failure(error);
  if (error.side != Side::upstream || (response_begun_ && !takes_over_)) return Attempt::failed;
  if (phase_ == Phase::connect) return find_another(Move::unsent) ? Attempt::elsewhere : Attempt::failed;
  // It was sent. An interim answer that was passed on binds the client to this server.
  if (!replayable_ || interim_passed_) return Attempt::failed;
  // One that thinks for longer than it may is not answered by letting another think as long.
  if (error.code == Code::timed_out) return Attempt::failed;
  return find_another(Move::again) ? Attempt::elsewhere : Attempt::failed;
}

// Chooses the server of one more attempt, if there may be one.
bool Exchange::find_another(Move move) noexcept {
  if (next_server_ != backends::no_server) return true;
  tried_.add(server_index_);
  if (is_over_budget_ || tried_.size() >= servers_tried_max) return false;
  const uint32_t next = pick_server(true, move != Move::better);
  if (next == backends::no_server) return false;
  is_over_budget_ = move != Move::unsent && !pool_->budget.take();
  if (is_over_budget_)
    core_.stats().retries_over_budget.add();
  else
    next_server_ = next;
  return !is_over_budget_;
}

void Exchange::enter_next_server() noexcept {
  enter_server(std::exchange(next_server_, backends::no_server));
  core_.stats().failovers.add();
}

// What the head of an answer, and its first words, say of the server.
void Exchange::judge_answer() noexcept {
  const bool is_git = git_.operation != wire::GitOperation::other;
  const uint16_t status = response_.status;
  // A web page may fail by itself, but nobody answers Git with a 500 while all is well.
  const bool is_error = (status == 500 && is_git) || (status >= 502 && status <= 504);
  verdict_ = is_error ? backends::Outcome::error : backends::Outcome::good;
  const bool git_failed = answer_ == wire::GitAnswer::not_git || answer_ == wire::GitAnswer::error ||
                          answer_ == wire::GitAnswer::empty;
  if (git_failed) verdict_ = backends::Outcome::git_error;
  // A fast refusal is no proof of speed.
  const int64_t wait = times_.first_byte - times_.sent;
  if (verdict_ == backends::Outcome::good && status < 400 && wait > 0 && !interim_passed_) {
    health().waited(server_index_, work_, wait, core_.now_ns());
    pool_->shared.admission.heard(work_, wait, core_.now_ns());
  }
}

// Those whose useless answer was replaced by a good one are to blame for theirs; if all fail alike, the
// request is.
void Exchange::blame_suspects() noexcept {
  if (suspects_.size() == 0 || response_.status != 200 || verdict_ != backends::Outcome::good) return;
  for (uint32_t server = 0; server < health().size(); server++) {
    if (suspects_.has(server)) health().report(server, backends::Outcome::git_error, core_.now_ns());
  }
  suspects_ = {};
}

// What an answer that came whole teaches. Errors only count against another server's better answer.
void Exchange::report_answer() noexcept {
  if (verdict_ != backends::Outcome::good) return;
  if (takes_over_) blame_suspects();  // only now it is sure that this server did better
  const bool is_git = git_.operation != wire::GitOperation::other;
  const bool git_is_well = is_git && response_.status == 200 && answer_ == wire::GitAnswer::fine;
  health().report(server_index_, git_is_well ? backends::Outcome::good : backends::Outcome::answered,
                  core_.now_ns());
}

// Ends what is still being sent to it, which is no failure of the exchange, and the connection.
Task<void> Exchange::abandon_server() {
  const bool failed_before = upload_failed_;
  stop_upload();
  if (upload_.running()) co_await upload_.finished;
  upload_failed_ = failed_before;
  server_.finish(UpstreamLease::Ending::aborted);
}

// Would the client be better served by another server's answer? Only asked for what may be sent again.
bool Exchange::answer_is_useless() const noexcept {
  if (!replayable_ || interim_passed_ || git_.operation == wire::GitOperation::other) return false;
  return verdict_ != backends::Outcome::good || answer_ == wire::GitAnswer::not_our_ref;
}

// What a failure teaches of the server.
void Exchange::report_failure(const Error& error) noexcept {
  // A head that is too large for us may be the client's making, and another answer is as true as the one
  // before.
  if (error.side != Side::upstream || fault_ == wire::Fault::head_too_large || error.code == Code::differs)
    return;
  const backends::Outcome outcome =
      phase_ == Phase::connect ? backends::Outcome::unreachable : backends::Outcome::broke;
  health().report(server_index_, outcome, core_.now_ns());
}

// One attempt: until the head of the answer is on its way to the client, or it is clear that it won't be.
Task<Exchange::Attempt> Exchange::try_server() {
  phase_ = Phase::connect;
  timer_.disarm();
  active_ns_ = core_.now_ns();
  is_over_budget_ = false;
  response_bytes_seen_ = 0;
  attempt_failure_ = {};
  told_wait_ns_ = 0;
  Error error = co_await get_connection();
  if (error.code == Code::none) {
    phase_ = Phase::request;
    error = send_request();
  }
  if (error.code == Code::none) {
    error = co_await read_response_head();
  }
  if (failure_.code != Code::none) error = failure_;
  const bool left = failure_.code == Code::none && attempt_failure_.code != Code::none;
  const bool unprovable =
      phase_ != Phase::connect && failure_.code == Code::none && !left && !is_judged(error);
  if (error.code == Code::none && !unprovable) {
    judge_answer();
    const bool unfit = takes_over_ && !goes_on_well();
    const bool elsewhere = (unfit || answer_is_useless()) && find_another(Move::again);
    if (elsewhere || unfit) {
      if (verdict_ != backends::Outcome::good) suspects_.add(server_index_);
      co_await abandon_server();
      if (!elsewhere && failure_.code == Code::none) failure_ = {Code::malformed, Side::upstream, 0};
      co_return failure_.code == Code::none ? Attempt::elsewhere : Attempt::failed;
    }
    if (!takes_over_) blame_suspects();
    remember_operation();
    co_return Attempt::answered;
  }
  Attempt outcome = Attempt::unprovable;
  if (unprovable) {
    if (error.code == Code::none) error = {Code::cancelled, Side::internal, 0};
    const bool always = error.code == Code::cancelled &&
                        (response_.status == 200 || response_.status == 426 || response_.status == 505);
    if (always) server_->pool().ends_packs_badly();
  } else if (left) {
    outcome = Attempt::elsewhere;
  } else {
    if (failure_.code == Code::none)
      outcome = after_failure(error);
    else {
      outcome = Attempt::failed;
      report_failure(error);
    }
  }
  co_await abandon_server();
  if (failure_.code != Code::none) co_return Attempt::failed;  // whoever waited for it has gone
  failure_ = error;
  co_return outcome;
}

// A pooled connection only carries what could be sent again: so no push ever meets one that the server just
// gave up.
Task<Error> Exchange::get_connection() {
  UpstreamPool& connections = pool_->connections[server_index_];
  const bool may_reuse = replayable_ && !fresh_only_ && !asked_by_1_0();
  reused_ = false;
  times_.connect_begun = core_.now_ns();
  if (may_reuse) server_ = connections.take_idle();
  if (server_) {
    reused_ = true;
  } else {
    session_.watch();  // this may take long
    if (failure_.code != Code::none) {
      const Error gone = failure_;
      co_return gone;
    }
    Result<UpstreamLease> connected = co_await connections.connect();
    if (!connected) {
      const Error error = connected.error();
      co_return error;
    }
    server_ = std::move(*connected);
    health().reached(server_index_, core_.now_ns());
  }
  times_.connected = core_.now_ns();
  const Error none = failure_;  // the client may have gone while we connected
  co_return none;
}

Error Exchange::send_request() {
  if (!request_room_) request_room_ = core_.head_room().acquire();
  if (!request_room_) return {Code::no_buffers, Side::internal, 0};
  const UpstreamFacts facts{
      .client_address = session_.peer_host(),
      .scheme = session_.stream().is_secure() ? "https" : "http",
      .request_id = request_id(),
      .server_authority = server_->to().authority,
      .peer_is_trusted = session_.peer_is_trusted(),
      .until_close = asked_by_1_0(),
      .own_cookie = pool_->shared.config.sticky.cookie,
      .client_certificate = session_.client_certificate(),
  };
  request_head_bytes_ = write_upstream_head(request_, facts, request_room_.span());
  if (request_head_bytes_ == 0) return {Code::too_large, Side::internal, 0};
  Pump::Plan plan;
  plan.source = &session_.stream();
  plan.sink = &server_->stream();
  plan.source_side = Side::downstream;
  plan.sink_side = Side::upstream;
  plan.head = {request_room_.span().data(), request_head_bytes_};
  plan.head_room = &request_room_;
  plan.initial = session_.receiver().inbox().bytes().subspan(head_end_);
  plan.from = request_.body;
  plan.to = request_.body.kind == wire::BodyKind::chunked ? Pump::Framing::chunked : Pump::Framing::plain;
  plan.payload_max = config_.limits.body_bytes;
  plan.payload_counter = &core_.stats().bytes_from_clients;
  if (plan.from.kind == wire::BodyKind::none) plan.initial = {};
  times_.sent = core_.now_ns();
  upload_failed_ = false;
  upload_.start(plan);
  return {};
}

// The upload ended, in any way, while the answer is awaited or relayed.
void Exchange::on_upload_ended(void* context) {
  Exchange& self = *static_cast<Exchange*>(context);
  const Error& error = self.upload_.error();
  self.active_ns_ = self.times_.sent = self.core_.now_ns();
  self.request_room_.release();  // of a head that could not be sent: the answer may take long
  if (error.code == Code::none && self.phase_ == Phase::request) self.phase_ = Phase::response_head;
  // The timer was set for an upload that goes on; an answer that is owed is to be looked after sooner.
  if (error.code == Code::none && self.waits_for_head_ && self.session_.watches())
    self.core_.timers().arm(self.timer_, self.active_ns_ + watch_after_ns);
  if (error.code == Code::none || self.upload_failed_) return;
  if (error.side == Side::upstream) {
    // The server stopped reading. It may have answered before that (413, 401): the answer decides.
    self.upload_failed_ = true;
    return;
  }
  self.fail(error);
}

// Reads heads until the final one; interim ones go to the client as they come.
Task<Error> Exchange::read_response_head() {
  waits_for_head_ = true;
  watch_time();
  for (;;) {
    Error error = co_await receive_response_head();
    if (error.code == Code::none && response_.status < 200 && response_.status != 101) {
      error = co_await pass_interim_head();
      if (error.code == Code::none) continue;
    }
    if (error.code == Code::none && response_.status == 101 &&
        !(request_.upgrade_websocket && response_.upgrade_websocket)) {
      error = {Code::malformed, Side::upstream, 0};
    }
    waits_for_head_ = false;
    answered_early_ = upload_.running();
    if (error.code == Code::none && git_.operation != wire::GitOperation::other) note_kind_of_server();
    co_return error;
  }
}

Task<Error> Exchange::receive_response_head() {
  Receiver& receiver = server_->receiver();
  Inbox& inbox = receiver.inbox();
  response_scanner_.reset();
  phase_ = upload_.running() ? Phase::request : Phase::response_head;
  bool is_whole = false;  // the head
  bool ended = false;     // the connection, behind it
  for (;;) {
    if (!inbox.empty()) {
      if (!is_whole) {
        const wire::HeadScanner::State state = response_scanner_.scan(inbox.view());
        is_whole = state == wire::HeadScanner::State::complete;
        if (state == wire::HeadScanner::State::refused) fault_ = response_scanner_.fault();
        if (fault_ == wire::Fault::target_too_long) fault_ = wire::Fault::head_too_large;  // it has no target
      }
      if (is_whole) fault_ = parse_response_head();  // anew: what comes behind it may have moved it
      if (fault_ != wire::Fault::none) {
        const Error error{Code::malformed, Side::upstream, 0};
        co_return error;
      }
      if (is_whole && begins_well_enough(ended)) {
        const Error none;
        co_return none;
      }
    }
    receiver.start(inbox.empty());
    if (attempt_is_over()) receiver.cancel();
    co_await receiver.arrived;
    if (attempt_is_over()) {
      const Error error = failure_.code != Code::none ? failure_ : attempt_failure_;
      co_return error;
    }
    const int32_t received = receiver.result();
    // Behind a head, an end may be the end of the body, as the head says. A reset is told only once, so not
    // later.
    ended = received == 0 && is_whole && response_.body.kind == wire::BodyKind::until_close;
    if (ended) continue;
    if (received <= 0) {
      const Error error{received == 0 ? Code::closed : Code::reset, Side::upstream, -received};
      co_return error;
    }
    if (response_bytes_seen_ == 0) times_.first_byte = core_.now_ns();
    response_bytes_seen_ += static_cast<size_t>(received);
    active_ns_ = core_.now_ns();
  }
}

wire::Fault Exchange::parse_response_head() noexcept {
  if (response_scanner_.start() != 0)
    return wire::Fault::bad_start_line;  // the empty line is forgiven to clients only
  const std::string_view head = server_->receiver().inbox().view().substr(0, response_scanner_.end());
  return wire::parse_response(head, response_limits(), request_.method, response_);
}

// Where another server could be asked, a Git answer is not begun before its first words are there: they may
// be that Git has died.
bool Exchange::begins_well_enough(bool ended) noexcept {
  answer_ = wire::GitAnswer::fine;
  const bool is_head = request_.method == wire::Method::head;
  if (response_.status != 200 || is_head || health().present_count() <= 1) return true;
  const std::string_view body = server_->receiver().inbox().view().substr(response_scanner_.end());
  const bool is_enough = body.size() >= git_words_bytes_max;
  const wire::Behind behind = ended       ? wire::Behind::nothing
                              : is_enough ? wire::Behind::unknown
                                          : wire::Behind::more;
  answer_ = wire::judge_git_answer(git_.operation, response_, body, behind);
  return answer_ != wire::GitAnswer::undecided;
}

// 100 Continue, 103 Early Hints and the like. HTTP/1.0 clients don't know them.
Task<Error> Exchange::pass_interim_head() {
  if (response_.status == 100) continue_sent_ = true;
  Error error;
  if (++interim_answers_ > interim_answers_max) {
    error = {Code::too_large, Side::upstream, 0};
    co_return error;
  }
  const bool in_the_middle = takes_over_;  // of the answer that the client reads
  if (!in_the_middle) interim_passed_ = true;
  if (request_.minor_version >= 1 && !in_the_middle) {
    const HeadRoom::Lease room = core_.head_room().acquire();
    const DownstreamFacts facts{.framing = {},
                                .client_is_1_0 = false,
                                .keep_alive = true,
                                .upgrade = false,
                                .request_method = request_.method};
    const size_t bytes = room ? write_downstream_head(response_, facts, room.span()) : 0;
    if (bytes == 0) {
      error = {Code::no_buffers, Side::internal, 0};
    } else {
      const std::string_view message(room.span().data(), bytes);
      error =
          co_await send_all(core_, session_.stream(), Side::downstream, message, ns(config_.timeouts.idle));
    }
  }
  server_->receiver().inbox().consume(response_scanner_.end());
  if (error.code == Code::none) error = failure_;
  co_return error;
}

}  // namespace breakwater::proxy
