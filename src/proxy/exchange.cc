// The life of a request, top to bottom: parse, forward, relay the answer, finish.
#include "proxy/exchange.h"

#include <cerrno>

#include "core/await.h"
#include "proxy/head_rewrite.h"
#include "proxy/limits.h"
#include "proxy/send.h"
#include "ring/sys.h"

namespace breakwater::proxy {

namespace {

std::array<char, 16> to_hex(uint64_t value) {
  std::array<char, 16> text;
  for (size_t index = text.size(); index > 0; index--, value >>= 4)
    text[index - 1] = "0123456789abcdef"[value & 15];
  return text;
}

// RFC 9110 §9.3.1: such a body means nothing, and a server that ignores it takes it for the next request.
bool has_meaningless_body(const wire::RequestHead& request) {
  if (request.body.kind == wire::BodyKind::none) return false;
  return request.method == wire::Method::get || request.method == wire::Method::head ||
         request.method == wire::Method::delete_ || request.method == wire::Method::options;
}

// These schemes log in a connection and not a request (RFC 4559 §6): whoever comes next on it is taken for
// the same user.
bool is_of_one_user(const wire::RequestHead& request) {
  for (size_t index = 0; index < request.fields.size(); index++) {
    const wire::Field field = request.fields[index];
    if (!wire::equals_ignoring_case(field.name, "authorization")) continue;
    const std::string_view scheme = field.value.substr(0, field.value.find_first_of(" \t"));
    if (wire::equals_ignoring_case(scheme, "ntlm") || wire::equals_ignoring_case(scheme, "negotiate"))
      return true;
  }
  return false;
}

}  // namespace

Exchange::Exchange(Session& session) noexcept
    : session_(session),
      worker_(session.worker()),
      core_(worker_.core),
      config_(worker_.config),
      request_id_(to_hex(worker_.ids.next())),
      response_scanner_(response_limits()),
      upload_(core_),
      download_(core_),
      pace_(config_.timeouts.client_pace, config::ns(config_.timeouts.client_pace_window)),
      timer_(on_time, this) {
  times_.begun = session.head_begun_ns();
  times_.head = active_ns_ = core_.now_ns();
  core_.stats().exchanges_active.add();
  upload_.set_hook(on_upload_ended, this);
}

Exchange::~Exchange() {
  leave_server();
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
  if (const std::string& to = session_.site().redirect; !to.empty()) {
    co_await redirect(to);
    write_log();
    co_return false;
  }
  pool_index_ = session_.site().router.pool_for(request_.authority, request_.path_query);
  pool_ = &worker_.pools[pool_index_];
  if (git_.operation != wire::GitOperation::other)
    repository_ = backends::hash(git_.repository.view(), pool_->shared.config.folds_case);
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
  leave_place();
  write_log();
  // Only now: the log and the request's views are in the inbox.
  if (again) {
    Inbox& inbox = session_.receiver().inbox();
    inbox.consume(head_end_ + upload_.initial_used());
    if (upload_.has_leftover()) {
      size_t leftover_begin = 0;
      size_t leftover_end = 0;
      Buffer leftover = upload_.take_leftover(leftover_begin, leftover_end);
      session_.receiver().take_over(std::move(leftover), leftover_begin, leftover_end);
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

void Exchange::end_in_head(const Error& why) noexcept {
  core_.stats().requests.add();
  failure_ = why;
  write_log();
}

// From a valid request to its end, whatever that is.
Task<bool> Exchange::forward() {
  if (session_.refuses()) {
    core_.stats().connections_refused.add();
    failure_ = {Code::no_buffers, Side::internal, 0};
    const Reply reply{
        503,
        "the proxy serves as many connections as it may ([limits] connections, or the limit of descriptors)",
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
  work_ = work_of_request();
  const bool admitted = co_await admit();
  if (!admitted) co_return keep_client_;
  pool_->budget.request();
  const uint32_t first = first_server_ != backends::no_server ? first_server_ : choose_server(true);
  if (first == backends::no_server) {
    failure_ = {Code::refused, Side::internal, 0};
    const Reply reply{503, "no server of the pool takes new requests: all are drained or in maintenance",
                      "make one ready, or give one a weight", 5};
    co_await answer(reply, true);
    co_return keep_client_;
  }
  enter_server(first);
  co_await ask_servers();
  const bool again = co_await finish();
  co_return again;
}

// Attempt after attempt, the first one on the server that was chosen, until the head of an answer is there
// that is fit to be begun. Otherwise failure_ says why there is none.
Task<void> Exchange::ask_servers() {
  bool end_may_be_close = !fresh_only_;  // one server at most is sent it a second time
  for (;;) {
    attempts_++;
    git_end_ = end_may_be_close ? choose_git_end() : wire::UploadPackAnswer::unprovable;
    const Attempt attempt = co_await try_server();
    if (attempt == Attempt::answered || attempt == Attempt::failed) co_return;
    if (attempt == Attempt::elsewhere) {
      enter_next_server();
    } else {
      // Sent a second time to one server at most, so that one must be neither stale nor unprovable.
      fresh_only_ = true;
      end_may_be_close = false;
    }
    core_.stats().retries.add();
    failure_ = {};
    fault_ = wire::Fault::none;
  }
}

// The first reason wins; everything that is waited for ends.
void Exchange::fail(const Error& why) noexcept {
  if (failure_.code == Code::none) failure_ = why;
  if (waits_for_place_ != nullptr) pool_->queue.remove(*waits_for_place_);
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
  const bool answered = download_.started() && !download_.running() && download_.error().code == Code::none;
  if (broken || (costly && !answered)) fail({broken ? Code::reset : Code::closed, Side::downstream, 0});
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
    } else if (failure_.code != Code::closed || response_begun_) {
      // Whoever only ended its sending side may still read the answer before this one, which a reset would
      // destroy.
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
  if (failure_.code == Code::none)
    report_answer();
  else if (!tunnel_ && server_)
    report_failure(failure_);
  const bool clean = whole && nothing_left_over();
  // A server that answers before it has the body may take the rest of that for the next request: what would
  // be sent behind it gets that one's answer.
  // One of HTTP/1.0 may not know chunks, and take them for that, too (RFC 9112 §6.1).
  const bool chunks_unknown = request_.body.kind == wire::BodyKind::chunked && response_.minor_version == 0;
  const bool is_suspect =
      answered_early_ || chunks_unknown || has_meaningless_body(request_) || is_of_one_user(request_);
  if (whole && !clean) fault_ = wire::Fault::unexpected_body;
  co_await join_upload(clean);
  timer_.disarm();
  const bool uploaded = upload_.error().code == Code::none;
  using Ending = UpstreamLease::Ending;
  if (tunnel_) {
    server_.finish(failure_.code == Code::none ? Ending::done : Ending::aborted);
  } else if (!clean || !uploaded) {
    server_.finish(Ending::aborted);
  } else {
    // Who was asked by 1.0 was asked to close, and gets no more requests, whatever it says itself (RFC 9112
    // §9.6).
    const bool stays = response_.keep_alive && !asked_by_1_0() && !server_ended_ && !is_suspect;
    server_.finish(stays ? Ending::reusable : Ending::done);
  }
  if (tunnel_ && failure_.code == Code::none) co_return false;
  const bool client_knows = takes_over_ || download_.sent_anything();
  if (!whole && !tunnel_ && failure_.side == Side::upstream && !client_knows) {
    // The server failed before anything of its answer was sent on: the client can still be told why.
    const Reply reply = reply_to(failure_);
    co_await answer(reply, true);
    co_return keep_client_;
  }
  if (!whole) {
    core_.stats().responses_aborted.add();
    session_.cut_on_close();
    // A length or a chunked body shows by itself that it is short; a body that ends with the connection does
    // not.
    const bool has_length = !takes_over_ && response_.body.kind == wire::BodyKind::length;
    const bool shows = request_.minor_version >= 1 || has_length;
    if (!shows || tunnel_ || failure_.side == Side::downstream) session_.abort_on_close();
    co_return false;
  }
  phase_ = Phase::done;
  co_return keep_client_&& uploaded;
}

Task<void> Exchange::relay_response() {
  phase_ = Phase::response_body;
  response_begun_ = true;
  status_ = response_.status;
  const bool client_is_1_0 = request_.minor_version == 0;
  // Towards the client: a body of unknown length is chunked, or ends with the connection for an HTTP/1.0
  // client.
  wire::BodyFraming framing = response_.body;
  if (framing.is_open_ended())
    framing.kind = client_is_1_0 ? wire::BodyKind::until_close : wire::BodyKind::chunked;
  upload_may_go_on_ = both_may_continue() && framing.kind != wire::BodyKind::until_close;
  keep_client_ = upload_may_go_on_ && request_.keep_alive;
  response_room_ = core_.head_room().acquire();
  const DownstreamFacts facts{
      .framing = framing,
      .client_is_1_0 = client_is_1_0,
      .keep_alive = keep_client_,
      .upgrade = false,
      .request_method = request_.method,
      .repairs_dumb_http = pool_->shared.config.repairs_headers && git_.operation == wire::GitOperation::dumb,
      .cookie = cookie_of_answer()};
  const size_t head_bytes =
      response_room_ ? write_downstream_head(response_, facts, response_room_.span()) : 0;
  if (head_bytes == 0) {
    fail({Code::no_buffers, Side::internal, 0});
    keep_client_ = false;
    session_.abort_on_close();
    co_return;
  }
  client_framing_ = framing.kind == wire::BodyKind::chunked ? Pump::Framing::chunked : Pump::Framing::plain;
  may_take_over_ = another_may_go_on(framing);
  const std::string_view head(response_room_.span().data(), head_bytes);
  co_await relay_body(head);
  if (may_take_over_) co_await take_over();
  if (download_.error().code != Code::none && failure_.code == Code::none) failure_ = download_.error();
}

// Until all of it is with the client, or download_ says why it is not. `head` goes before it, and stands in
// response_room_. The fields of response_ are gone from here on.
Task<void> Exchange::relay_body(std::string_view head) {
  const wire::BodyKind kind = response_.body.kind;
  Pump::Plan plan;
  plan.source = &server_->stream();
  plan.sink = &session_.stream();
  plan.source_side = Side::upstream;
  plan.sink_side = Side::downstream;
  plan.head = head;
  plan.head_room = &response_room_;
  plan.from = response_.body;
  plan.to = client_framing_;
  plan.payload_counter = &core_.stats().bytes_to_clients;
  plan.twin = &upload_;
  plan.sink_closes = !keep_client_ && !upload_.running();
  if (plan.sink_closes) session_.hold_answer();
  if (kind == wire::BodyKind::until_close) plan.git_end = git_end_;
  if (plan.git_end != wire::UploadPackAnswer::unprovable) core_.stats().packs_until_close.add();
  // A server may end a body in good order although Git died inside. One that takes over may also end it with
  // the connection, unasked.
  const bool is_pack = git_.operation == wire::GitOperation::upload_pack && replayable_ && has_git_result();
  const bool by_git = kind == wire::BodyKind::chunked || (kind == wire::BodyKind::until_close && takes_over_);
  if (by_git && is_pack && upload_pack_ask().is_fetch) plan.git_end = upload_pack_ask().answer;
  plan.may_change_server = may_take_over_;
  plan.said = opening_sent_;
  plan.leaves_failed_git = leaves_failed_git;
  plan.context = this;
  Buffer initial;
  if (kind == wire::BodyKind::none)
    server_->receiver().inbox().consume(response_scanner_.end());
  else
    initial = take_initial(plan);
  download_.start(plan, std::move(initial));
  co_await download_.finished;
}

// What came behind the head of the answer goes on with the buffer it is in, so that a long answer holds none.
Buffer Exchange::take_initial(Pump::Plan& plan) noexcept {
  Inbox& inbox = server_->receiver().inbox();
  inbox.consume(response_scanner_.end());
  plan.initial = inbox.bytes();
  return inbox.take();
}

// Drops what the server sent beyond its answer. True if there was nothing.
bool Exchange::nothing_left_over() noexcept {
  Inbox& inbox = server_->receiver().inbox();
  const bool clean = inbox.empty() && !download_.has_leftover();
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
  if (!server_may_read || !response_.keep_alive || !upload_may_go_on_ || failure_.code != Code::none) {
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
                              .request_method = request_.method,
                              .cookie = cookie_of_answer()};
  const size_t head_bytes =
      response_room_ ? write_downstream_head(response_, facts, response_room_.span()) : 0;
  if (head_bytes == 0) {
    fail({Code::no_buffers, Side::internal, 0});
    co_return;
  }
  Pump::Plan down;
  down.source = &server_->stream();
  down.sink = &session_.stream();
  down.source_side = Side::upstream;
  down.sink_side = Side::downstream;
  down.head = {response_room_.span().data(), head_bytes};
  down.head_room = &response_room_;
  down.from.kind = wire::BodyKind::until_close;
  down.half_close_sink = true;
  down.payload_counter = &core_.stats().bytes_to_clients;
  Pump::Plan up;
  up.source = &session_.stream();
  up.sink = &server_->stream();
  up.source_side = Side::downstream;
  up.sink_side = Side::upstream;
  up.initial = session_.receiver().inbox().bytes().subspan(head_end_);
  up.from.kind = wire::BodyKind::until_close;
  up.half_close_sink = true;
  up.payload_counter = &core_.stats().bytes_from_clients;
  down.twin = &upload_;
  up.twin = &download_;
  Buffer initial = take_initial(down);
  download_.start(down, std::move(initial));
  upload_.start(up);
  watch_time();
  co_await download_.finished;
  if (download_.error().code != Code::none) fail(download_.error());
  co_await upload_.finished;
  if (upload_.error().code != Code::none) fail(upload_.error());
}

// Decided when the head of the answer is written, because it says so in the head: may there be a next request
// on the client's connection, and may what is missing of this one's body go on to the server? The client's
// own wish is another matter: who wants its connection closed has its body read nevertheless.
bool Exchange::both_may_continue() const noexcept {
  if (worker_.draining || upload_failed_) return false;
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
  const bool sent =
      co_await session_.reply(reply, request_id(), keep_client_, head_request, own_reply_bytes_);
  if (!sent) status_ = 0;
}

}  // namespace breakwater::proxy
