#include "proxy/exchange.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/await.h"
#include "proxy/access_log.h"
#include "proxy/head_rewrite.h"
#include "proxy/limits.h"
#include "proxy/send.h"
#include "ring/sys.h"
#include "wire/http_write.h"
#include "wire/uri.h"

namespace breakwater::proxy {

namespace {

constexpr int64_t ns(config::Duration duration) {
  return duration.count() * 1'000'000;
}

wire::HeadLimits response_limits(const config::Config& config) {
  return {config.limits.head_bytes, config.limits.head_bytes};
}

std::array<char, 16> to_hex(uint64_t value) {
  std::array<char, 16> text;
  for (size_t index = text.size(); index > 0; index--, value >>= 4)
    text[index - 1] = "0123456789abcdef"[value & 15];
  return text;
}

std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::head:
      return "head";
    case Phase::connect:
      return "connect";
    case Phase::request:
      return "request";
    case Phase::response_head:
      return "response_head";
    case Phase::response_body:
      return "response_body";
    case Phase::tunnel:
      return "tunnel";
    case Phase::done:
      return "done";
  }
  return "?";
}

}  // namespace

Exchange::Exchange(Session& session) noexcept
    : session_(session),
      worker_(session.worker()),
      core_(worker_.core),
      config_(worker_.config),
      request_id_(to_hex(worker_.ids.next())),
      response_scanner_(response_limits(config_)),
      upload_(core_),
      download_(core_),
      timer_(on_time, this) {
  times_.begun = session.head_begun_ns();
  times_.head = active_ns_ = core_.now_ns();
  core_.stats().exchanges_active.add();
  upload_.set_hook(on_upload_ended, this);
}

Exchange::~Exchange() {
  core_.stats().exchanges_active.subtract();
}

Task<bool> Exchange::run(size_t start, size_t end) {
  core_.stats().requests.add();
  head_end_ = end;
  const std::string_view head = session_.receiver().inbox().view().substr(start, end - start);
  fault_ = wire::parse_request(head, {config_.limits.head_bytes, config_.limits.target_bytes}, request_);
  if (fault_ != wire::Fault::none) {
    const Reply reply = reply_to(fault_);
    co_await answer(reply, false);
    write_log();
    co_return false;
  }
  parsed_ = true;
  wire::classify(request_, git_);
  switch (git_.operation) {
    case wire::GitOperation::advertise_fetch:
    case wire::GitOperation::advertise_push:
      core_.stats().git_advertise.add();
      break;
    case wire::GitOperation::upload_pack:
      core_.stats().git_upload_pack.add();
      break;
    case wire::GitOperation::receive_pack:
      core_.stats().git_receive_pack.add();
      break;
    default:
      break;
  }
  const bool again = co_await forward();
  write_log();
  // Only now: the log and the request's views are in the inbox.
  if (again) {
    Inbox& inbox = session_.receiver().inbox();
    inbox.consume(head_end_ + upload_.initial_used());
    if (upload_.has_leftover()) {
      size_t leftover_begin = 0;
      size_t leftover_end = 0;
      Buffer leftover = upload_.take_leftover(leftover_begin, leftover_end);
      inbox.adopt(std::move(leftover), leftover_begin, leftover_end);
    }
  }
  co_return again;
}

Task<void> Exchange::refuse_head(wire::Fault fault) {
  core_.stats().requests.add();
  fault_ = fault;
  const Reply reply = reply_to(fault);
  co_await answer(reply, false);
  write_log();
}

Task<void> Exchange::refuse_late_head() {
  core_.stats().requests.add();
  failure_ = {Code::timed_out, Side::downstream, 0};
  const Reply reply = reply_to(failure_);
  co_await answer(reply, false);
  write_log();
}

// From a valid request to its end, whatever that is.
Task<bool> Exchange::forward() {
  if (session_.refuses()) {
    core_.stats().connections_refused.add();
    failure_ = {Code::no_buffers, Side::internal, 0};
    const Reply reply{503,
                      "the proxy serves as many connections as it is configured for ([limits] connections)",
                      "try again in a moment", 1};
    co_await answer(reply, false);
    co_return false;
  }
  const uint64_t body_max = config_.limits.body_bytes;
  if (body_max != 0 && request_.body.kind == wire::BodyKind::length && request_.body.length > body_max) {
    failure_ = {Code::too_large, Side::downstream, 0};
    const Reply reply = reply_to(failure_);
    co_await answer(reply, false);
    co_return false;
  }
  replayable_ =
      wire::is_replayable(request_, git_.operation) && whole_request_at_hand() && !request_.upgrade_websocket;
  bool end_may_be_close = true;
  uint32_t server = choose_server();
  // Each server once, and one time more where a pooled connection proved stale or an end could not be told.
  uint32_t servers_left = pool().balancer.servers();
  for (;;) {
    attempts_++;
    git_end_ = end_may_be_close ? choose_git_end(server) : wire::UploadPackAnswer::unprovable;
    const Attempt attempt = co_await try_server(server);
    if (attempt == Attempt::answered && git_.operation != wire::GitOperation::other) {
      session_.affinity().remember(git_.repository.view(), server);
    }
    if (attempt == Attempt::answered || attempt == Attempt::failed) break;
    if (attempt == Attempt::unreachable) {
      if (--servers_left == 0) break;
      server = pool().balancer.after(server);
    } else {
      // Sent a second time at most, so that one must be neither stale nor unprovable.
      fresh_only_ = true;
      end_may_be_close = false;
    }
    core_.stats().retries.add();
    failure_ = {};
    fault_ = wire::Fault::none;
  }
  const bool again = co_await finish();
  co_return again;
}

// info/refs and the POSTs that follow it see one server, as long as that can be reached.
uint32_t Exchange::choose_server() noexcept {
  if (git_.operation != wire::GitOperation::other) {
    const uint32_t bound = session_.affinity().server_for(git_.repository.view());
    if (bound != backends::Affinity::none) return bound;
  }
  return pool().balancer.pick();
}

// The body is none, or all of it came with the head, so it can be sent a second time.
bool Exchange::whole_request_at_hand() const noexcept {
  if (request_.body.kind == wire::BodyKind::none) return true;
  if (request_.body.kind != wire::BodyKind::length) return false;
  return request_.body.length <= session_.receiver().inbox().view().size() - head_end_;
}

// May the server end its answer with the connection? Only if we can tell by Git's own framing that it is
// whole, and can ask again if it turns out that we can't.
wire::UploadPackAnswer Exchange::choose_git_end(uint32_t server) const noexcept {
  const config::UploadPackFraming wish = pool().config.upload_pack_framing;
  const bool may = replayable_ && git_.operation == wire::GitOperation::upload_pack;
  const bool always = wish == config::UploadPackFraming::until_close;
  const bool sure_only =
      wish == config::UploadPackFraming::automatic && pool().connections[server].ends_packs_well();
  if (!may || (!always && !sure_only)) return wire::UploadPackAnswer::unprovable;
  const std::string_view body = session_.receiver().inbox().view().substr(head_end_, request_.body.length);
  const bool encoded = request_.fields.find("content-encoding").data() != nullptr;
  const wire::UploadPackAsk ask = wire::read_upload_pack_request(git_.protocol_version, encoded, body);
  return always || ask.pack_is_sure ? ask.answer : wire::UploadPackAnswer::unprovable;
}

void Exchange::note_kind_of_server() noexcept {
  server_->pool().heard_from(response_.fields.find("server"));
}

// Of the answer by HTTP/1.0 whose head is there, or of what came instead of one. An error may be about the
// version that we chose, so it is asked for again by 1.1 as well.
bool Exchange::is_judged(const Error& error) const noexcept {
  if (git_end_ == wire::UploadPackAnswer::unprovable) return true;  // we asked by 1.1
  if (error.code != Code::none) return error.side != Side::upstream || error.code == Code::timed_out;
  if (response_.status == 401) return response_.body.kind != wire::BodyKind::until_close;
  if (response_.status != 200) return false;
  if (response_.body.kind != wire::BodyKind::until_close) return true;
  const std::string_view type = response_.fields.find("content-type");
  return response_.fields.find("content-encoding").data() == nullptr &&
         wire::equals_ignoring_case(type.substr(0, type.find_first_of("; ")),
                                    "application/x-git-upload-pack-result");
}

// Pure: may this failure of an attempt be answered by another attempt?
bool Exchange::may_retry(const Error& error) const noexcept {
  if (error.side == Side::downstream || error.code == Code::cancelled || response_begun_) return false;
  if (phase_ == Phase::connect) return error.side == Side::upstream;  // nothing was sent
  // A pooled connection that the server had given up; nothing of an answer came.
  return reused_ && replayable_ && response_bytes_seen_ == 0 &&
         (error.code == Code::closed || error.code == Code::reset);
}

// One attempt: until the head of the answer is on its way to the client, or it is clear that it won't be.
Task<Exchange::Attempt> Exchange::try_server(uint32_t server) {
  phase_ = Phase::connect;
  response_bytes_seen_ = 0;
  Error error = co_await get_connection(server);
  if (error.code == Code::none) {
    phase_ = Phase::request;
    error = send_request();
  }
  if (error.code == Code::none) {
    error = co_await read_response_head();
  }
  if (failure_.code != Code::none) error = failure_;
  const bool unprovable = phase_ != Phase::connect && failure_.code == Code::none && !is_judged(error);
  if (error.code == Code::none && !unprovable) co_return Attempt::answered;
  Attempt outcome = Attempt::failed;
  if (unprovable) {
    outcome = Attempt::unprovable;
    if (error.code == Code::none) error = {Code::cancelled, Side::internal, 0};
    const bool always = error.code == Code::cancelled &&
                        (response_.status == 200 || response_.status == 426 || response_.status == 505);
    if (always) server_->pool().ends_packs_badly();
  } else if (may_retry(error)) {
    outcome = reused_ ? Attempt::stale : Attempt::unreachable;
  }
  upload_.stop(error);
  if (upload_.running()) co_await upload_.finished;
  server_.finish(UpstreamLease::Ending::aborted);
  if (failure_.code != Code::none) co_return Attempt::failed;  // whoever waited for it has gone
  failure_ = error;
  co_return outcome;
}

// A pooled connection only carries what could be sent again: so no push ever meets one that the server just
// gave up.
Task<Error> Exchange::get_connection(uint32_t server) {
  UpstreamPool& connections = pool().connections[server];
  server_used_ = &connections.server();
  const bool may_reuse = replayable_ && !fresh_only_ && git_end_ == wire::UploadPackAnswer::unprovable;
  reused_ = false;
  times_.connect_begun = core_.now_ns();
  if (may_reuse) server_ = connections.take_idle();
  if (server_) {
    reused_ = true;
  } else {
    session_.watch();  // this may take long
    Result<UpstreamLease> connected = co_await connections.connect();
    if (!connected) {
      const Error error = connected.error();
      co_return error;
    }
    server_ = std::move(*connected);
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
      .scheme = "http",
      .request_id = request_id(),
      .server_authority = server_used_->authority(),
      .peer_is_trusted = session_.peer_is_trusted(),
      .until_close = git_end_ != wire::UploadPackAnswer::unprovable,
  };
  request_head_bytes_ = write_upstream_head(request_, facts, request_room_.span());
  if (request_head_bytes_ == 0) return {Code::too_large, Side::internal, 0};
  Pump::Plan plan;
  plan.source = session_.fd();
  plan.sink = server_->fd();
  plan.source_side = Side::downstream;
  plan.sink_side = Side::upstream;
  plan.head = {request_room_.span().data(), request_head_bytes_};
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
  self.request_room_
      .release();  // a server may take long to answer; room for heads is for heads that are being sent
  if (error.code == Code::none && self.phase_ == Phase::request) self.phase_ = Phase::response_head;
  if (error.code == Code::none || self.upload_failed_) return;
  if (error.side == Side::upstream) {
    // The server stopped reading. It may have answered before that (413, 401): the answer decides.
    self.upload_failed_ = true;
    return;
  }
  self.fail(error);
}

// The first reason wins; everything that is waited for ends.
void Exchange::fail(const Error& why) noexcept {
  if (failure_.code == Code::none) failure_ = why;
  if (server_ && waits_for_head_) server_->receiver().cancel();
  if (upload_.running()) upload_.stop(failure_);
  if (download_.running()) download_.stop(failure_);
}

// No Git client closes its sending side while it waits for an answer, so for Git's POSTs that end means it is
// gone, and the server's work is stopped. Others may half-close (docs/closing.md).
void Exchange::client_ended(bool broken) noexcept {
  const bool costly = git_.operation == wire::GitOperation::upload_pack ||
                      git_.operation == wire::GitOperation::receive_pack ||
                      git_.operation == wire::GitOperation::upload_archive;
  if (!parsed_ || tunnel_) return;
  // It has its answer: what ended may be a request behind the rest of this one.
  const bool answered = download_.started() && !download_.running();
  if (broken || (costly && !answered)) fail({broken ? Code::reset : Code::closed, Side::downstream, 0});
}

// What a server may think about before its answer begins.
config::Duration Exchange::answer_timeout() const noexcept {
  const config::PoolTimeouts& timeouts = pool().config.timeouts;
  return wire::is_advertisement(git_.operation) ? timeouts.advertise : timeouts.response;
}

// One timer watches the whole exchange: `response` while an answer is owed, `idle` while bodies move. Most
// answers are there before it is worth asking the kernel to tell us if the client leaves.
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
  int64_t active = self.active_ns_;
  if (self.upload_.started()) active = std::max(active, self.upload_.last_progress_ns());
  if (self.download_.started()) active = std::max(active, self.download_.last_progress_ns());
  if (limit > 0 && self.core_.now_ns() >= active + limit) {
    self.core_.stats().timeouts.add();
    Side side = Side::upstream;
    if (self.download_.running())
      side = self.download_.waits_for_sink() ? Side::downstream : Side::upstream;
    else if (self.upload_.running())
      side = self.upload_.waits_for_sink() ? Side::upstream : Side::downstream;
    return self.fail({Code::timed_out, side, 0});
  }
  // Which of the two limits applies may change without an event here, so look again at the shorter one.
  int64_t next = active + limit;
  if (self.upload_.running() && answer_limit > 0) {
    next = std::min(next, self.core_.now_ns() + answer_limit);
  }
  if (limit > 0 || self.upload_.running())
    self.core_.timers().arm(self.timer_, std::max(next, self.core_.now_ns() + 1));
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
    if (error.code == Code::none && response_.status == 101 && !request_.upgrade_websocket) {
      error = {Code::malformed, Side::upstream, 0};
    }
    waits_for_head_ = false;
    if (error.code == Code::none && git_.operation != wire::GitOperation::other) note_kind_of_server();
    co_return error;
  }
}

Task<Error> Exchange::receive_response_head() {
  Receiver& receiver = server_->receiver();
  Inbox& inbox = receiver.inbox();
  response_scanner_.reset();
  phase_ = upload_.running() ? Phase::request : Phase::response_head;
  for (;;) {
    if (!inbox.empty()) {
      const wire::HeadScanner::State state = response_scanner_.scan(inbox.view());
      if (state == wire::HeadScanner::State::refused) {
        fault_ = response_scanner_.fault();
        const Error error{Code::malformed, Side::upstream, 0};
        co_return error;
      }
      if (state == wire::HeadScanner::State::complete) break;
    }
    receiver.start(inbox.empty());
    if (failure_.code != Code::none) receiver.cancel();
    co_await receiver.arrived;
    if (failure_.code != Code::none) {
      const Error error = failure_;
      co_return error;
    }
    const int32_t received = receiver.result();
    if (received <= 0) {
      const Error error{received == 0 ? Code::closed : Code::reset, Side::upstream, -received};
      co_return error;
    }
    if (response_bytes_seen_ == 0) times_.first_byte = core_.now_ns();
    response_bytes_seen_ += static_cast<size_t>(received);
    active_ns_ = core_.now_ns();
  }
  const std::string_view head =
      inbox.view().substr(response_scanner_.start(), response_scanner_.end() - response_scanner_.start());
  fault_ = wire::parse_response(head, response_limits(config_), request_.method, response_);
  if (response_scanner_.start() != 0)
    fault_ = wire::Fault::bad_start_line;  // the empty line is forgiven to clients only
  const Error error = fault_ == wire::Fault::none ? Error{} : Error{Code::malformed, Side::upstream, 0};
  co_return error;
}

// 100 Continue, 103 Early Hints and the like. HTTP/1.0 clients don't know them.
Task<Error> Exchange::pass_interim_head() {
  if (response_.status == 100) continue_sent_ = true;
  Error error;
  if (++interim_answers_ > interim_answers_max) {
    error = {Code::too_large, Side::upstream, 0};
    co_return error;
  }
  if (request_.minor_version >= 1) {
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
      error = co_await send_all(core_, session_.fd(), Side::downstream, message, ns(config_.timeouts.idle));
    }
  }
  server_->receiver().inbox().consume(response_scanner_.end());
  if (error.code == Code::none) error = failure_;
  co_return error;
}

// The final head is there: relay it with its body, then see what becomes of the two connections.
Task<bool> Exchange::finish() {
  if (failure_.code != Code::none) {
    if (upload_.running()) {
      upload_.stop(failure_);
      co_await upload_.finished;
    }
    const bool client_is_there = failure_.side != Side::downstream || failure_.code == Code::timed_out ||
                                 failure_.code == Code::too_large || failure_.code == Code::malformed;
    if (client_is_there && failure_.code != Code::cancelled) {
      Reply reply = reply_to(failure_);
      if (failure_.side == Side::upstream && fault_ != wire::Fault::none)
        reply.detail = wire::describe(fault_);
      const wire::Fault body_fault = upload_.fault();
      if (failure_.side == Side::downstream && body_fault != wire::Fault::none) {
        reply = reply_to(body_fault);
      }
      co_await answer(reply, true);
    } else {
      session_.abort_on_close();
    }
    co_return keep_client_;
  }
  tunnel_ = response_.status == 101;
  if (tunnel_) {
    co_await relay_tunnel();
  } else {
    co_await relay_response();
  }
  const bool whole = failure_.code == Code::none && !tunnel_;
  const bool clean = whole && nothing_left_over();
  if (whole && !clean) fault_ = wire::Fault::unexpected_body;
  co_await join_upload(clean);
  timer_.disarm();
  const bool uploaded = upload_.error().code == Code::none;
  using Ending = UpstreamLease::Ending;
  if (!clean || !uploaded) {
    server_.finish(Ending::aborted);
  } else {
    server_.finish(response_.keep_alive && !server_ended_ ? Ending::reusable : Ending::done);
  }
  if (tunnel_ && failure_.code == Code::none) co_return false;
  if (!whole && !tunnel_ && failure_.side == Side::upstream && !download_.sent_anything()) {
    // The server failed before anything of its answer was sent on: the client can still be told why.
    const Reply reply = reply_to(failure_);
    co_await answer(reply, true);
    co_return keep_client_;
  }
  if (!whole) {
    core_.stats().responses_aborted.add();
    // A length or a chunked body shows by itself that it is short; a body that ends with the connection does
    // not.
    const bool shows = request_.minor_version >= 1 || response_.body.kind == wire::BodyKind::length;
    if (!shows || tunnel_ || failure_.side == Side::downstream) session_.abort_on_close();
    co_return false;
  }
  phase_ = Phase::done;
  if (!uploaded || (request_.keep_alive && !keep_client_)) session_.linger_on_close();
  co_return keep_client_&& uploaded;
}

Task<void> Exchange::relay_response() {
  phase_ = Phase::response_body;
  response_begun_ = true;
  status_ = response_.status;
  const bool client_is_1_0 = request_.minor_version == 0;
  const wire::BodyKind kind = response_.body.kind;
  // Towards the client: a body of unknown length is chunked, or ends with the connection for an HTTP/1.0
  // client.
  wire::BodyFraming framing = response_.body;
  if (kind == wire::BodyKind::chunked || kind == wire::BodyKind::until_close) {
    framing.kind = client_is_1_0 ? wire::BodyKind::until_close : wire::BodyKind::chunked;
  }
  keep_client_ = client_may_continue() && framing.kind != wire::BodyKind::until_close;
  response_room_ = core_.head_room().acquire();
  const DownstreamFacts facts{.framing = framing,
                              .client_is_1_0 = client_is_1_0,
                              .keep_alive = keep_client_,
                              .upgrade = false,
                              .request_method = request_.method};
  const size_t head_bytes =
      response_room_ ? write_downstream_head(response_, facts, response_room_.span()) : 0;
  if (head_bytes == 0) {
    fail({Code::no_buffers, Side::internal, 0});
    keep_client_ = false;
    session_.abort_on_close();
    co_return;
  }
  Pump::Plan plan;
  plan.source = server_->fd();
  plan.sink = session_.fd();
  plan.source_side = Side::upstream;
  plan.sink_side = Side::downstream;
  plan.head = {response_room_.span().data(), head_bytes};
  plan.initial = server_->receiver().inbox().bytes().subspan(response_scanner_.end());
  plan.from = response_.body;
  plan.to = framing.kind == wire::BodyKind::chunked ? Pump::Framing::chunked : Pump::Framing::plain;
  plan.payload_counter = &core_.stats().bytes_to_clients;
  plan.twin = &upload_;
  plan.sink_closes = !keep_client_ && !upload_.running();
  if (plan.sink_closes) session_.hold_answer();
  if (kind == wire::BodyKind::none) plan.initial = {};
  if (kind == wire::BodyKind::until_close) plan.git_end = git_end_;
  if (plan.git_end != wire::UploadPackAnswer::unprovable) core_.stats().packs_until_close.add();
  download_.start(plan);
  co_await download_.finished;
  if (download_.error().code != Code::none && failure_.code == Code::none) failure_ = download_.error();
}

// Drops what the server sent beyond its answer. True if there was nothing.
bool Exchange::nothing_left_over() noexcept {
  Inbox& inbox = server_->receiver().inbox();
  const bool inbox_used = response_scanner_.end() + download_.initial_used() == inbox.view().size();
  const bool clean = inbox_used && !download_.has_leftover();
  inbox.clear();
  if (download_.has_leftover()) {
    size_t begin = 0;
    size_t end = 0;
    const Buffer dropped = download_.take_leftover(begin, end);
  }
  return clean;
}

// The answer is over but the upload may not be. As long as the server reads, it goes on.
Task<void> Exchange::join_upload(bool server_may_read) {
  if (!upload_.running()) co_return;
  if (!server_may_read || !response_.keep_alive || !keep_client_ || failure_.code != Code::none) {
    stop_upload();
  } else {
    // The client may send nothing for long, so the server's end must be seen by itself.
    server_->receiver().set_hook(on_server_ended, this);
    server_->receiver().start(true);
  }
  co_await upload_.finished;
  server_->receiver().set_hook(nullptr, nullptr);
}

void Exchange::on_server_ended(void* context) {
  Exchange& self = *static_cast<Exchange*>(context);
  self.server_ended_ = true;
  self.server_->receiver().inbox().clear();
  if (!self.upload_.only_sends()) self.stop_upload();
}

// Ends the upload without calling that a failure of the exchange: the answer stands.
void Exchange::stop_upload() noexcept {
  upload_failed_ = true;
  upload_.stop({Code::cancelled, Side::internal, 0});
}

// 101: the connection belongs to the two peers now. Each direction ends by itself.
Task<void> Exchange::relay_tunnel() {
  phase_ = Phase::tunnel;
  response_begun_ = true;
  status_ = 101;
  if (upload_.running()) co_await upload_.finished;
  response_room_ = core_.head_room().acquire();
  const DownstreamFacts facts{.framing = {},
                              .client_is_1_0 = false,
                              .keep_alive = true,
                              .upgrade = true,
                              .request_method = request_.method};
  const size_t head_bytes =
      response_room_ ? write_downstream_head(response_, facts, response_room_.span()) : 0;
  if (head_bytes == 0) {
    fail({Code::no_buffers, Side::internal, 0});
    co_return;
  }
  Pump::Plan down;
  down.source = server_->fd();
  down.sink = session_.fd();
  down.source_side = Side::upstream;
  down.sink_side = Side::downstream;
  down.head = {response_room_.span().data(), head_bytes};
  down.initial = server_->receiver().inbox().bytes().subspan(response_scanner_.end());
  down.from.kind = wire::BodyKind::until_close;
  down.half_close_sink = true;
  down.payload_counter = &core_.stats().bytes_to_clients;
  Pump::Plan up;
  up.source = session_.fd();
  up.sink = server_->fd();
  up.source_side = Side::downstream;
  up.sink_side = Side::upstream;
  up.initial = session_.receiver().inbox().bytes().subspan(head_end_);
  up.from.kind = wire::BodyKind::until_close;
  up.half_close_sink = true;
  up.payload_counter = &core_.stats().bytes_from_clients;
  down.twin = &upload_;
  up.twin = &download_;
  download_.start(down);
  upload_.start(up);
  watch_time();
  co_await download_.finished;
  if (download_.error().code != Code::none) fail(download_.error());
  co_await upload_.finished;
  if (upload_.error().code != Code::none) fail(upload_.error());
}

// Decided when the head of the answer is written, because it says so in the head.
bool Exchange::client_may_continue() const noexcept {
  if (!request_.keep_alive || worker_.draining || upload_failed_) return false;
  // The server will close with the upload unfinished: what the client still sends has no reader.
  if (upload_.running() && !response_.keep_alive) return false;
  // A final answer instead of 100 Continue: nobody can know whether the body will come (RFC 9110 §10.1.1).
  if (request_.expects_continue && !continue_sent_ && upload_.running()) return false;
  return true;
}

// A reply of our own.
Task<void> Exchange::answer(const Reply& reply, bool may_keep_alive) {
  core_.stats().requests_refused.add();
  timer_.disarm();
  status_ = reply.status;
  const bool uploaded = parsed_ && (request_.body.kind == wire::BodyKind::none ||
                                    (upload_.started() && upload_.error().code == Code::none));
  keep_client_ = may_keep_alive && uploaded && request_.keep_alive && request_.minor_version >= 1 &&
                 !worker_.draining && !request_.expects_continue;
  const bool head_request = parsed_ && request_.method == wire::Method::head;
  co_await session_.reply(reply, request_id(), keep_client_, head_request, own_reply_bytes_);
}

// Who ended it, in words for the log.
std::string_view Exchange::ended_by() const noexcept {
  if (fault_ != wire::Fault::none && phase_ == Phase::head) return "client";
  if (failure_.code == Code::none) return upload_failed_ ? "server" : "done";
  switch (failure_.side) {
    case Side::downstream:
      return "client";
    case Side::upstream:
      return "server";
    case Side::internal:
      return "proxy";
  }
  return "done";
}

void Exchange::write_log() noexcept {
  if (config_.log.target == config::Log::Target::off) return;
  const int64_t now = core_.now_ns();
  const auto since = [](int64_t from, int64_t to) { return from > 0 && to > from ? to - from : 0; };
  std::array<char, 1024> target_room;
  std::array<char, 200> reason_room;
  wire::HeadWriter reason(reason_room);
  if (failure_.code != Code::none) {
    reason.text(name(failure_.side));
    reason.text(" ");
    reason.text(name(failure_.code));
  }
  if (fault_ != wire::Fault::none || upload_.fault() != wire::Fault::none) {
    if (reason.bytes() > 0) reason.text(": ");
    reason.text(wire::describe(fault_ != wire::Fault::none ? fault_ : upload_.fault()));
  } else if (upload_failed_) {
    reason.text("the server stopped reading the request");
  }
  AccessRecord record;
  record.time_ns = core_.realtime_ns();
  record.request_id = request_id();
  record.client = session_.peer_text();
  record.listener = session_.site().listen_name;
  if (parsed_) {
    record.method = request_.method_text;
    record.host = request_.authority;
    record.path = wire::redact_target(request_.target, target_room);
    record.user_agent = request_.fields.find("user-agent");
  }
  if (git_.operation != wire::GitOperation::other) {
    record.git = wire::name(git_.operation);
    record.git_protocol = git_.protocol_version;
    record.repository = git_.repository.view();
  }
  record.pool = session_.site().pool_name;
  if (server_used_ != nullptr) record.server = server_used_->name;
  record.status = status_;
  record.bytes_in = upload_.started() ? upload_.payload_bytes() : 0;
  record.bytes_out = download_.started() ? download_.payload_bytes() : own_reply_bytes_;
  record.head_ns = since(times_.begun, times_.head);
  record.connect_ns = since(times_.connect_begun, times_.connected);
  record.send_ns = since(times_.connected, times_.sent);
  record.first_byte_ns = since(times_.sent, times_.first_byte);
  record.total_ns = since(times_.begun, now);
  record.attempts = attempts_;
  record.reused = reused_;
  record.ended_by = ended_by();
  record.phase = name(phase_);
  record.reason = {reason_room.data(), reason.bytes()};
  std::array<char, access_line_bytes_max> line;
  core_.log({line.data(), format_access_line(record, line)});
}

}  // namespace breakwater::proxy
