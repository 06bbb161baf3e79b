#include "client/connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ring/sys.h"
#include "tls/engine.h"

namespace breakwater::storm {

namespace {

constexpr int64_t stall_counts_from_ns = 1'000'000'000;

// Of our own machine, and not of the server: the run says nothing about it.
bool is_local(int32_t result) {
  return result == -EADDRNOTAVAIL || result == -EMFILE || result == -ENFILE || result == -ENOMEM ||
         result == -ENOBUFS;
}

int64_t earlier(int64_t a, int64_t b) {
  if (a <= 0 || b <= 0) return std::max(a, b);
  return std::min(a, b);
}

}  // namespace

Connection::Connection(Core& core, const Site& site, Traffic& traffic) noexcept
    : core_(core), site_(site), traffic_(traffic), pause_(core) {}

Connection::~Connection() {
  BW_ASSERT(!is_open());
}

// ---- waiting

int64_t Connection::due_ns() const noexcept {
  return earlier(patience_.stall_ns > 0 ? core_.now_ns() + patience_.stall_ns : 0, patience_.due_ns);
}

void Connection::on_due(void* context) {
  Connection& self = *static_cast<Connection*>(context);
  self.late_ = true;
  self.give_up();
}

void Connection::give_up() noexcept {
  if (call_ != nullptr) stream_->cancel(*call_);
  if (stream_) stream_->stop_handshake();
  pause_.end();
}

void Connection::stop() noexcept {
  stopped_ = true;
  give_up();
}

// Less than 0 is -errno. Between two calls nothing is in flight that could be cancelled, so whether it was
// stopped is looked for before.
Task<int32_t> Connection::perform(tls::StreamCall& call, int64_t due_ns) {
  if (stopped_) co_return -ECANCELED;
  late_ = false;
  Deadline deadline(core_, due_ns, on_due, this);
  call_ = &call;
  const int32_t result = co_await call;
  call_ = nullptr;
  co_return result;
}

std::string_view Connection::words_of(int32_t result) const noexcept {
  if (result == -EPROTO && stream_ && stream_->fault()) return tls::explain(stream_->fault().kind);
  const char* const words = strerrordesc_np(-result);
  return words == nullptr ? "" : words;
}

Failure Connection::failure_of(int32_t result, Failure broken) noexcept {
  why_ = {};
  if (stopped_) return Failure::timed_out;
  if (late_) {
    const bool is_whole_try = patience_.due_ns > 0 && core_.now_ns() >= patience_.due_ns;
    return is_whole_try ? Failure::timed_out : Failure::stalled;
  }
  why_ = words_of(result);
  return is_local(result) ? Failure::local : broken;
}

void Connection::note_wait(int64_t since_ns) noexcept {
  if (core_.now_ns() - since_ns >= stall_counts_from_ns) traffic_.stalls++;
}

// ---- open and close

Task<Failure> Connection::open(Times& times) {
  BW_ASSERT(!is_open());
  if (stopped_) co_return Failure::timed_out;
  const int fd = sys::stream_socket(site_.address);
  if (fd < 0) {
    why_ = words_of(fd);
    co_return Failure::local;
  }
  sys::tune_connection(fd);
  // Before the connect, which tells the server how much may be under way.
  if (pace_.socket_bytes > 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &pace_.socket_bytes, sizeof pace_.socket_bytes);
  stream_.emplace(core_, fd);
  ended_ = false;
  traffic_.connections++;
  int32_t result = 0;
  {
    tls::StreamCall call(*stream_);
    call.kind = Op::Kind::connect;
    call.address = &site_.address.any;
    call.address_bytes = site_.address.bytes;
    result = co_await perform(call, due_ns());
  }
  if (result < 0) {
    const Failure failure = failure_of(result, Failure::connect);
    drop();
    if (failure != Failure::stalled) co_return failure;
    why_ = "nothing answers";
    co_return Failure::connect;
  }
  times.connected_ns = core_.now_ns();
  if (site_.tls == nullptr) co_return Failure::none;
  const Failure failure = co_await shake_hands(times);
  if (failure != Failure::none) drop();
  co_return failure;
}

Task<Failure> Connection::shake_hands(Times& times) {
  late_ = false;
  const tls::Session* const session = session_ ? &session_ : nullptr;
  const int64_t until_ns = due_ns();
  const tls::Shake shake = co_await stream_->connect(site_.tls, site_.tls_name, session, until_ns);
  if (shake.done()) {
    times.secured_ns = core_.now_ns();
    co_return Failure::none;
  }
  const bool is_whole_try = patience_.due_ns > 0 && core_.now_ns() >= patience_.due_ns;
  why_ = {};
  if (!stopped_) why_ = shake.fault ? tls::explain(shake.fault.kind) : "the handshake has no end";
  co_return stopped_ || (shake.timed_out && is_whole_try) ? Failure::timed_out : Failure::tls;
}

void Connection::remember_session() noexcept {
  const tls::Engine* const engine = stream_->engine();
  if (engine != nullptr && engine->handshake_done()) session_ = engine->session();
}

void Connection::drop() noexcept {
  BW_ASSERT(call_ == nullptr);
  buffer_.release();
  begin_ = end_ = 0;
  const int fd = stream_->fd();
  stream_.reset();
  sys::close(fd);
}

void Connection::close() noexcept {
  if (!is_open()) return;
  remember_session();
  stream_->say_end();
  drop();
}

void Connection::reset() noexcept {
  if (!is_open()) return;
  sys::reset_on_close(stream_->fd());
  drop();
}

// ---- bytes

Task<Failure> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const int64_t since_ns = core_.now_ns();
    tls::StreamCall call(*stream_);
    call.kind = Op::Kind::send;
    call.data = const_cast<char*>(bytes.data());
    call.bytes = bytes.size();
    const int32_t sent = co_await perform(call, due_ns());
    note_wait(since_ns);
    if (sent < 0) co_return failure_of(sent, Failure::http);
    traffic_.sent += static_cast<uint64_t>(sent);
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  co_return Failure::none;
}

void Connection::consume(size_t count) noexcept {
  BW_ASSERT(count <= bytes_left());
  begin_ += static_cast<uint32_t>(count);
  if (begin_ < end_) return;
  buffer_.release();
  begin_ = end_ = 0;
}

Task<void> Connection::keep_pace() {
  if (bucket_ == nullptr) co_return;
  const int64_t ready_ns = bucket_->ready_ns(core_.now_ns());
  if (ready_ns <= core_.now_ns() || stopped_) co_return;
  pause_.begin(earlier(ready_ns, patience_.due_ns));
  co_await pause_;
  late_ = patience_.due_ns > 0 && core_.now_ns() >= patience_.due_ns;
}

Task<void> Connection::wait_for_buffer(int64_t due_ns) {
  BufferWaiter waiter([](void* pause) { static_cast<Pause*>(pause)->end(); }, &pause_);
  core_.bulk_buffers().wait(waiter);
  pause_.begin(due_ns);
  co_await pause_;
}

// Behind what is there, or into a buffer that the kernel picks. Bytes of a buffer are behind its lead.
Task<Failure> Connection::receive() {
  late_ = false;
  co_await keep_pace();
  if (stopped_ || late_) co_return failure_of(0, Failure::timed_out);
  const int64_t since_ns = core_.now_ns();
  const int64_t until_ns = due_ns();
  for (;;) {
    tls::StreamCall call(*stream_);
    if (!prepare_receive(call)) {
      why_ = "a head without an end";
      co_return Failure::http;
    }
    const int32_t received = co_await perform(call, until_ns);
    if (call.buffer_selected) {
      Buffer picked = core_.bulk_buffers().take_picked(call.buffer_id);
      if (received > 0) {
        buffer_ = std::move(picked);
        begin_ = end_ = static_cast<uint32_t>(core_.bulk_buffers().lead() - call.early);
      }
    }
    if (received == -ENOBUFS && !late_ && !stopped_) {
      co_await wait_for_buffer(until_ns);
      if (until_ns > 0 && core_.now_ns() >= until_ns) {
        why_ = "no buffer was free for what comes";
        co_return Failure::local;
      }
      continue;
    }
    note_wait(since_ns);
    if (received < 0) co_return failure_of(received, Failure::http);
    ended_ = received == 0;
    end_ += static_cast<uint32_t>(received);
    traffic_.received += static_cast<uint64_t>(received);
    if (bucket_ != nullptr) bucket_->take(static_cast<size_t>(received), core_.now_ns());
    co_return Failure::none;
  }
}

// False: what is there fills the buffer, and nobody could use any of it.
bool Connection::prepare_receive(Op& op) noexcept {
  if (!buffer_) {
    op.kind = Op::Kind::receive_selected;
    op.group = core_.bulk_buffers().id();
    op.bytes = pace_.receive_bytes;
    return true;
  }
  if (buffer_.bytes() - end_ < tls::Stream::receive_bytes_min) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, bytes_left());
    end_ -= begin_;
    begin_ = 0;
  }
  op.kind = Op::Kind::receive;
  op.data = buffer_.data() + end_;
  op.bytes = buffer_.bytes() - end_;
  if (op.bytes < tls::Stream::receive_bytes_min) return false;
  if (pace_.receive_bytes > 0)
    op.bytes = std::min(op.bytes, std::max(pace_.receive_bytes, tls::Stream::receive_bytes_min));
  return true;
}

}  // namespace breakwater::storm
