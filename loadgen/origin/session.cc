// The life of a connection, top to bottom.
#include "origin/session.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>

#include "base/second.h"
#include "ring/sys.h"
#include "wire/uri.h"

namespace breakwater::storm::origin {

namespace {

constexpr int64_t idle_ns = 75 * second_ns;      // between two requests
constexpr int64_t request_ns = 60 * second_ns;   // without a byte of a request that has begun
constexpr int64_t stalled_ns = 300 * second_ns;  // without a byte of an answer being taken
constexpr int64_t handshake_ns = 30 * second_ns;
constexpr int64_t linger_ns = 2 * second_ns;
constexpr size_t linger_bytes_max = 8 * 1024 * 1024;
constexpr int64_t pace_ns = 20'000'000;  // a limited answer goes out in pieces of so much time
constexpr size_t kept_bytes_max = 4096;  // of in_'s memory while nothing is in it

constexpr wire::HeadLimits head_limits{};

struct Cancel {
  tls::Stream& stream;
  Op& op;
  static void now(void* context) {
    const Cancel& what = *static_cast<Cancel*>(context);
    what.stream.cancel(what.op);
  }
};

}  // namespace

Session::Session(Worker& worker, int fd, bool is_control) noexcept
    : worker_(worker), stream_(worker.core, fd), is_control_(is_control), scanner_(head_limits) {
  worker_.sessions.push_back(*this);
  worker_.site.counts.connections++;
  worker_.site.counts.connections_open++;
}

Session::~Session() {
  unlink();
  worker_.site.counts.connections_open--;
}

Task<void> Session::run(Session* session) {
  Next then = Next::request;
  if (session->worker_.site.tls != nullptr && !session->is_control_) {
    const bool is_open = co_await session->shake_hands();
    if (!is_open) then = Next::abort;
  }
  while (then == Next::request) {
    then = co_await session->read_head();
    if (then == Next::request) then = co_await session->serve();
    session->worker_.bodies_bytes -= std::exchange(session->body_bytes_, 0);
  }
  if (then == Next::close) {
    co_await session->linger();
  } else {
    sys::reset_on_close(session->stream_.fd());
  }
  sys::close(session->stream_.fd());
  delete session;
}

Task<bool> Session::shake_hands() {
  const int64_t due_ns = worker_.core.now_ns() + handshake_ns;
  const tls::Shake shake = co_await stream_.accept(worker_.site.tls, worker_.handshakes, due_ns);
  co_return shake.done();
}

Task<Session::Next> Session::read_head() {
  scanner_.reset();
  for (;;) {
    const wire::HeadScanner::State state =
        in_.empty() ? wire::HeadScanner::State::incomplete : scanner_.scan(in_);
    if (state == wire::HeadScanner::State::complete) {
      take_head(scanner_.end());
      const wire::Fault fault =
          wire::parse_request(std::string_view(head_text_).substr(scanner_.start()), head_limits, head_);
      if (fault == wire::Fault::none) co_return Next::request;
      head_.method = wire::Method::other;
      const Next then = co_await refuse(wire::status_of(fault), wire::describe(fault));
      co_return then;
    }
    if (state == wire::HeadScanner::State::refused) {
      head_.method = wire::Method::other;
      const Next then = co_await refuse(wire::status_of(scanner_.fault()), wire::describe(scanner_.fault()));
      co_return then;
    }
    if (stopped_ || worker_.draining) co_return Next::close;
    waits_for_request_ = in_.empty();
    if (in_.empty() && in_.capacity() > kept_bytes_max) in_.shrink_to_fit();
    const int32_t received = co_await receive(waits_for_request_ ? idle_ns : request_ns);
    waits_for_request_ = false;
    if (received <= 0) co_return in_.empty() ? Next::close : Next::abort;
  }
}

void Session::take_head(size_t end) {
  head_text_.assign(in_, 0, end);
  in_.erase(0, end);
}

Task<Session::Next> Session::serve() {
  keep_alive_ = head_.keep_alive;
  std::string body;
  const bool has_body = head_.body.kind != wire::BodyKind::none;
  if (has_body) {
    const Next then = co_await read_body(body);
    if (then != Next::request) co_return then;
  }
  const auto [raw_path, query] = wire::split_query(head_.path_query);
  std::array<char, 2048> room;
  const std::optional<std::string_view> path = wire::percent_decode(raw_path, room);
  if (!path) {
    const Next then = co_await refuse(400, "this path can't be read");
    co_return then;
  }
  const Request request{head_, *path, query, body, stream_.is_secure()};
  Reply reply = is_control_ ? answer_control(worker_.site, request) : answer(worker_.site, request);
  const Next then = co_await send(reply, head_.method == wire::Method::head);
  co_return then;
}

Task<Session::Next> Session::read_body(std::string& body) {
  const std::string_view coding = head_.fields.find("Content-Encoding");
  const bool is_gzipped =
      wire::equals_ignoring_case(coding, "gzip") || wire::equals_ignoring_case(coding, "x-gzip");
  if (!coding.empty() && !is_gzipped) {
    const Next then = co_await refuse(415, "the only Content-Encoding understood is gzip");
    co_return then;
  }
  const bool is_large = head_.path_query.ends_with("/git-receive-pack") || head_.method == wire::Method::put;
  const size_t bytes_max = is_large ? push_bytes_max : request_bytes_max;
  if (head_.expects_continue) {
    Batch batch;
    batch.add("HTTP/1.1 100 Continue\r\n\r\n");
    const bool is_sent = co_await send_batch(batch);
    if (!is_sent) co_return Next::abort;
  }
  std::string raw = std::exchange(in_, {});
  const auto reader =
      std::make_unique<breakwater::origin::RequestBody>(head_.body, is_gzipped, std::span(raw));
  using State = breakwater::origin::RequestBody::State;
  for (;;) {
    const State state = reader->advance();
    if (state == State::done) break;
    if (state == State::malformed) {
      const Next then = co_await refuse(400, "the body is malformed");
      co_return then;
    }
    if (state == State::ready) {
      const std::string_view piece = reader->pending();
      body += piece;
      body_bytes_ += piece.size();
      worker_.bodies_bytes += piece.size();
      reader->take(piece.size());
      if (body.size() <= bytes_max && worker_.bodies_bytes <= bodies_bytes_max) continue;
      const Next then = co_await refuse(body.size() > bytes_max ? 413 : 503, "this body is too much");
      co_return then;
    }
    const int32_t received = co_await receive(request_ns);
    if (received <= 0) co_return Next::abort;
    raw = std::exchange(in_, {});
    reader->add(std::span(raw));
  }
  in_.assign(reader->rest().data(), reader->rest().size());
  co_return Next::request;
}

Task<Session::Next> Session::refuse(uint16_t status, std::string_view sentence) {
  Reply reply = text_reply(status, std::string(sentence) + "\n");
  reply.may_keep_alive = false;
  const Next then = co_await send(reply, false);
  co_return then;
}

// Sends a reply, or as much of it as its fault lets through.
Task<Session::Next> Session::send(Reply& reply, bool head_only) {
  Payload payload(reply);
  const uint64_t whole = payload.bytes();
  uint64_t sent = whole, promised = whole;
  const bool is_open_ended = reply.is_streamed && head_.minor_version == 0;
  std::optional<FaultKind> fault;
  if (reply.fault) fault = reply.fault->kind;
  if (fault == FaultKind::reset || fault == FaultKind::hang || fault == FaultKind::truncate) {
    // One byte less than all at most: else nothing would be wrong.
    sent = whole == 0 ? 0 : std::min(reply.fault->after.value_or(reply.fault->dice % whole), whole - 1);
    if (fault == FaultKind::truncate) promised = sent;
  }
  if (fault == FaultKind::flip) payload.flip(reply.fault->dice);
  const uint64_t rate = fault == FaultKind::slow ? reply.fault->rate : worker_.site.options.rate;

  keep_alive_ = keep_alive_ && reply.may_keep_alive && !is_open_ended && !worker_.draining;
  const bool is_chunked = reply.is_streamed && !is_open_ended;
  BodyHead about{is_chunked, std::nullopt, keep_alive_};
  if (!reply.is_streamed) about.length = whole;
  const std::string head =
      head_of(reply, about, worker_.site.options.framing, worker_.date.at(worker_.core.realtime_ns()));
  if (head_only) sent = promised = 0;
  const auto batch = std::make_unique<Batch>();
  batch->add(head);
  Framer framer(payload, is_chunked && !head_only, worker_.site.options.framing, promised, sent);
  if (reply.delay_ns > 0) {
    framer.fill_only(*batch, reply.front.size());
    const bool is_begun = co_await send_batch(*batch);
    if (!is_begun) co_return Next::abort;
    co_await pause(reply.delay_ns);
    if (stopped_) co_return Next::abort;
    batch->clear();
  }
  const bool is_sent = co_await send_framed(framer, *batch, is_control_ ? 0 : rate);
  worker_.site.counts.body_bytes += payload.taken();
  if (!is_sent) {
    worker_.site.counts.answers_broken++;
    co_return Next::abort;
  }
  const bool was_given =
      fault && (fault != FaultKind::flip || payload.has_flipped()) && fault != FaultKind::stale;
  if (was_given && !is_control_) worker_.site.faults.given(*reply.fault);
  if (fault == FaultKind::hang) co_await hang();
  if (fault == FaultKind::hang || fault == FaultKind::reset) co_return Next::abort;
  // Where the length was told, or the end is the connection's, an early end can't be followed by anything.
  if (fault == FaultKind::truncate && !is_chunked) co_return Next::close;
  co_return keep_alive_ ? Next::request : Next::close;
}

// What stands in `batch` already goes first.
Task<bool> Session::send_framed(Framer& framer, Batch& batch, uint64_t rate) {
  const int64_t begun_ns = worker_.core.now_ns();
  const uint64_t piece =
      rate == 0 ? Batch::bytes_max : std::clamp<uint64_t>(rate / (second_ns / pace_ns), 1, Batch::bytes_max);
  uint64_t sent = 0;
  do {
    framer.fill(batch, std::min<size_t>(batch.bytes() + piece, Batch::bytes_max));
    sent += batch.bytes();
    const bool is_sent = co_await send_batch(batch);
    if (!is_sent) co_return false;
    batch.clear();
    if (rate == 0 || framer.done()) continue;
    const int64_t due_ns =
        begun_ns + static_cast<int64_t>(static_cast<double>(sent) / static_cast<double>(rate) * second_ns);
    co_await pause(due_ns - worker_.core.now_ns());
    if (stopped_) co_return false;
  } while (!framer.done());
  co_return true;
}

Task<bool> Session::send_batch(Batch& batch) {
  std::span<iovec> left = batch.parts();
  while (!left.empty()) {
    msghdr message{};
    message.msg_iov = left.data();
    message.msg_iovlen = left.size();
    tls::StreamCall call(stream_);
    call.kind = Op::Kind::send_message;
    call.message = &message;
    Cancel cancel{stream_, call};
    Deadline deadline(worker_.core, worker_.core.now_ns() + stalled_ns, Cancel::now, &cancel);
    const int32_t sent = co_await call;
    if (sent <= 0) co_return false;
    size_t taken = static_cast<size_t>(sent);
    while (!left.empty() && taken >= left.front().iov_len) {
      taken -= left.front().iov_len;
      left = left.subspan(1);
    }
    if (taken == 0) continue;
    left.front().iov_base = static_cast<char*>(left.front().iov_base) + taken;
    left.front().iov_len -= taken;
  }
  co_return true;
}

// Until the client goes, or we are stopped. What it sends meanwhile is dropped.
Task<void> Session::hang() {
  while (!stopped_) {
    const int32_t received = co_await receive(0);
    if (received <= 0) co_return;
    in_.clear();
  }
}

// RFC 9112 §9.6: a close with unread bytes would be a reset, which can destroy the answer on its way.
Task<void> Session::linger() {
  stream_.say_end();
  sys::shutdown_write(stream_.fd());
  const int64_t until_ns = worker_.core.now_ns() + linger_ns;
  size_t dropped = 0;
  while (!stopped_ && dropped < linger_bytes_max && worker_.core.now_ns() < until_ns) {
    const int32_t received = co_await receive(until_ns - worker_.core.now_ns());
    if (received <= 0) co_return;
    dropped += in_.size();
    in_.clear();
  }
}

// Appends to in_: bytes, 0 at the end, or -errno. `limit_ns` 0: waits without end.
Task<int32_t> Session::receive(int64_t limit_ns) {
  BufferGroup& buffers = worker_.core.head_buffers();
  const int64_t due_ns = limit_ns > 0 ? worker_.core.now_ns() + limit_ns : 0;
  for (;;) {
    if (stopped_) co_return -ECANCELED;
    tls::StreamCall call(stream_);
    call.kind = Op::Kind::receive_selected;
    call.group = buffers.id();
    call.bytes = 0;
    call.poll_first = waits_for_request_;
    Cancel cancel{stream_, call};
    Deadline deadline(worker_.core, due_ns, Cancel::now, &cancel);
    receiving_ = &call;
    const int32_t received = co_await call;
    receiving_ = nullptr;
    Buffer buffer;
    if (call.buffer_selected) buffer = buffers.take_picked(call.buffer_id);
    if (received > 0) in_.append(buffer.data() + buffers.lead() - call.early, static_cast<size_t>(received));
    if (received != -ENOBUFS) co_return received;
    co_await wait_for_buffer();
  }
}

Task<void> Session::wait_for_buffer() {
  Signal woken(worker_.core);
  const auto wake = [](void* signal) { static_cast<Signal*>(signal)->set(); };
  BufferWaiter waiter(wake, &woken);
  worker_.core.head_buffers().wait(waiter);
  pausing_ = &woken;
  co_await woken;
  pausing_ = nullptr;
}

Task<void> Session::pause(int64_t ns) {
  if (ns <= 0 || stopped_) co_return;
  Signal over(worker_.core);
  Timer timer([](void* signal) { static_cast<Signal*>(signal)->set(); }, &over);
  worker_.core.timers().arm(timer, worker_.core.now_ns() + ns);
  pausing_ = &over;
  co_await over;
  pausing_ = nullptr;
}

void Session::drain() noexcept {
  if (waits_for_request_ && receiving_ != nullptr) stream_.cancel(*receiving_);
  stream_.stop_if_unheard();
}

void Session::stop_now() noexcept {
  stopped_ = true;
  sys::abort_connection(stream_.fd());
  stream_.stop_handshake();
  if (receiving_ != nullptr) stream_.cancel(*receiving_);
  if (pausing_ != nullptr) pausing_->set();
}

}  // namespace breakwater::storm::origin
