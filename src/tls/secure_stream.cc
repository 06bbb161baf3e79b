#include "tls/secure_stream.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "ring/sys.h"
#include "tls/handshakes.h"

namespace breakwater::tls {

namespace {

constexpr size_t record_bytes_max = Engine::record_data_max + Engine::record_overhead_max;
// Payload of one send: enough that the call costs little of it.
constexpr size_t batch_bytes = 8 * Engine::record_data_max;
// To a reader that does not keep up, of which what is sealed may have to wait in memory.
constexpr size_t slow_batch_bytes = 2 * Engine::record_data_max;
// What the engine has to say of its own while the other side takes nothing. Who makes it say more is turned
// out.
constexpr size_t answers_bytes_max = 4096;
// The first records of a reply fit a packet each, so that its head can be read before the rest is there.
constexpr size_t first_record_bytes = 1300;
constexpr size_t first_records_bytes = 2 * first_record_bytes;

static_assert(Core::seal_room_bytes >=
              Engine::record_data_max +
                  (batch_bytes / Engine::record_data_max + 3) * Engine::record_overhead_max + batch_bytes +
                  Engine::room_min);
static_assert(Stream::receive_bytes_min > record_bytes_max + 1024);

}  // namespace

SecureStream::~SecureStream() {
  BW_ASSERT(receive_.user == nullptr && send_.user == nullptr);
}

// ---- the handshake

void SecureStream::stop_handshake() noexcept {
  stopped_ = true;
  if (waits_for_ != nullptr) core_.ring().cancel(*waits_for_);
  if (waits_for_turn_ != nullptr) waits_for_turn_->stop();
  if (waits_for_buffer_ != nullptr) waits_for_buffer_->set();
}

Task<Shake> SecureStream::shake_hands(Handshakes* handshakes, int64_t due_ns) {
  Deadline deadline(
      core_, due_ns, [](void* self) { static_cast<SecureStream*>(self)->stop_handshake(); }, this);
  Shake shake;
  if (handshakes != nullptr) {
    Handshakes::Wait wait = handshakes->enter();
    waits_for_turn_ = &wait;
    const bool in = co_await wait;
    waits_for_turn_ = nullptr;
    if (!in) {
      shake.timed_out = true;
      co_return shake;
    }
  }
  shake = co_await exchange_hellos(handshakes);
  if (handshakes != nullptr) handshakes->leave();
  shake.timed_out = deadline.expired() && !engine_.handshake_done();
  if (engine_.handshake_done()) shake.fault = {};
  co_return shake;
}

// Receive, let the engine take a step, send; until it is done or nothing more comes.
Task<Shake> SecureStream::exchange_hellos(Handshakes* handshakes) {
  Shake shake;
  Engine::Step step = Engine::Step::wants_input;
  bool first = handshakes == nullptr;  // a client speaks first
  for (;;) {
    if (step == Engine::Step::wants_input && !first) {
      const int32_t received = co_await receive_more();
      if (received <= 0) {
        shake.said_nothing = !heard_;
        shake.fault = engine_.ended();
        co_return shake;
      }
      heard_ = true;
    }
    first = false;
    if (handshakes != nullptr) {
      Handshakes::Wait turn = handshakes->step();
      waits_for_turn_ = &turn;
      const bool goes_on = co_await turn;
      waits_for_turn_ = nullptr;
      if (!goes_on) co_return shake;
    }
    std::span<const char> in;
    if (early_) in = {early_.data() + early_begin_, early_end_ - early_begin_};
    const std::span<char> room = core_.seal_room();
    std::span<char> left = room;
    step = engine_.handshake(in, left);
    early_begin_ = early_end_ - in.size();
    if (in.empty()) early_.release();
    const bool sent = send_now(room.first(room.size() - left.size()), false);
    if (sent && !unsent_.empty()) co_await send_rest();
    if (step == Engine::Step::failed) shake.fault = engine_.fault();
    if (step == Engine::Step::failed || step == Engine::Step::done || stopped_) co_return shake;
  }
}

// Adds to what is there of the other side's messages.
Task<int32_t> SecureStream::receive_more() {
  for (;;) {
    RingCall call(core_);
    call.fd = fd_;
    if (early_) {
      const size_t held = early_end_ - early_begin_;
      std::memmove(early_.data(), early_.data() + early_begin_, held);
      early_begin_ = 0;
      early_end_ = held;
      call.kind = Op::Kind::receive;
      call.data = early_.data() + held;
      call.bytes = early_.bytes() - held;
      BW_ASSERT(call.bytes > 0);  // no message that the engine waits for is as long
    } else {
      call.kind = Op::Kind::receive_selected;
      call.group = buffers_.id();
    }
    waits_for_ = &call;
    const int32_t received = co_await call;
    waits_for_ = nullptr;
    Buffer picked;
    if (call.buffer_selected) picked = buffers_.take_picked(call.buffer_id);
    if (received == -ENOBUFS && !stopped_) {
      co_await free_buffer();
      continue;
    }
    if (received > 0 && picked) {
      early_ = std::move(picked);
      early_begin_ = buffers_.lead();
      early_end_ = early_begin_;
    }
    if (received > 0) early_end_ += static_cast<size_t>(received);
    co_return stopped_ ? -ECANCELED : received;
  }
}

Task<void> SecureStream::free_buffer() {
  Signal free(core_);
  BufferWaiter waiter([](void* signal) { static_cast<Signal*>(signal)->set(); }, &free);
  buffers_.wait(waiter);
  waits_for_buffer_ = &free;
  co_await free;
  waits_for_buffer_ = nullptr;
}

Task<void> SecureStream::send_rest() {
  while (!unsent_.empty() && !stopped_) {
    RingCall call(core_);
    call.kind = Op::Kind::send;
    call.fd = fd_;
    call.data = unsent_.bytes.get() + unsent_.begin;
    call.bytes = unsent_.end - unsent_.begin;
    waits_for_ = &call;
    const int32_t sent = co_await call;
    waits_for_ = nullptr;
    if (sent < 0) co_return;  // the next receive tells
    unsent_.begin += static_cast<size_t>(sent);
  }
  if (unsent_.empty()) unsent_ = {};
}

// ---- either way

void SecureStream::submit(Op& op) noexcept {
  BW_ASSERT(!op.in_flight);
  op.in_flight = true;
  op.buffer_selected = false;
  if (op.kind == Op::Kind::send || op.kind == Op::Kind::send_message) return send(op);
  BW_ASSERT(op.kind == Op::Kind::receive || op.kind == Op::Kind::receive_selected);
  receive(op);
}

// As the ring's: a request. What has come to its end meanwhile ends as it did.
void SecureStream::cancel(Op& op) noexcept {
  if (!op.in_flight) return;
  Way& way = &op == receive_.user ? receive_ : send_;
  BW_ASSERT(way.user == &op);
  way.cancelled = true;
  core_.ring().cancel(way.op);
}

void SecureStream::finish(Way& way, int32_t result) noexcept {
  Op& op = *std::exchange(way.user, nullptr);
  op.result = result;
  op.in_flight = false;
  op.on_complete(op);  // this may be gone after it
}

void SecureStream::finish_later(Way& way, Deferred& later, int32_t result) noexcept {
  way.user->result = result;
  core_.defer(later);
}

void SecureStream::on_send_later(void* context) {
  SecureStream& self = *static_cast<SecureStream*>(context);
  self.finish(self.send_, self.send_.user->result);
}

// ---- receiving

// What a receive comes to without asking the kernel.
bool SecureStream::has_ended(int32_t& result) const noexcept {
  if (last_step_ == Engine::Step::closed) result = 0;
  if (last_step_ == Engine::Step::failed) result = -EPROTO;
  return last_step_ == Engine::Step::closed || last_step_ == Engine::Step::failed;
}

void SecureStream::receive(Op& op) noexcept {
  BW_ASSERT(receive_.user == nullptr);
  receive_.user = &op;
  receive_.cancelled = false;
  reply_bytes_ = 0;
  int32_t result = 0;
  if (has_ended(result) || early_) return finish_later(receive_, receive_later_, result);
  start_receive();
}

void SecureStream::on_receive_later(void* context) {
  SecureStream& self = *static_cast<SecureStream*>(context);
  if (!self.early_) return self.finish(self.receive_, self.receive_.user->result);
  // What came with the end of the handshake.
  const size_t begin = self.early_begin_;
  const size_t bytes = self.early_end_ - begin;
  const uint16_t id = self.buffers_.hand_over(std::move(self.early_));
  self.open_picked(self.buffers_, id, begin, bytes);
}

void SecureStream::start_receive() noexcept {
  const Op& user = *receive_.user;
  const bool selects = user.kind == Op::Kind::receive_selected;
  Op& op = receive_.op;
  op.kind = Op::Kind::receive_selected;
  op.fd = fd_;
  op.group = selects ? user.group : buffers_.id();
  op.poll_first = user.poll_first;
  op.bytes = 0;
  if (!selects) {
    BW_ASSERT(user.bytes >= Stream::receive_bytes_min);
    op.bytes = user.bytes - record_bytes_max;
  }
  receive_armed_in_turn_ = core_.turns();
  core_.ring().submit(op);
}

void SecureStream::on_received(Op& op) {
  SecureStream& self = *static_cast<SecureStream*>(op.context);
  BufferGroup& group = self.core_.buffers_of(op.group);
  if (op.result > 0)
    return self.open_picked(group, op.buffer_id, group.lead(), static_cast<size_t>(op.result));
  if (op.buffer_selected) group.take_picked(op.buffer_id).release();
  if (op.result < 0) return self.finish(self.receive_, op.result);
  const Fault fault = self.engine_.ended();
  self.last_step_ = fault ? Engine::Step::failed : Engine::Step::closed;
  self.finish(self.receive_, fault ? -EPROTO : 0);
}

// Opens what the kernel wrote to a buffer of `group`, from `begin` on, to where the user wants it.
void SecureStream::open_picked(BufferGroup& group, uint16_t buffer_id, size_t begin, size_t bytes) noexcept {
  Op& user = *receive_.user;
  const bool selects = user.kind == Op::Kind::receive_selected;
  char* const memory = group.memory_of(buffer_id);
  std::span<const char> in(memory + begin, bytes);
  std::span<char> data(memory, begin + bytes);
  if (!selects) data = {static_cast<char*>(user.data), user.bytes};
  const size_t room = data.size();
  const std::span<char> answer = core_.seal_room();
  std::span<char> left = answer;
  last_step_ = engine_.open(in, data, left);
  const bool answered = send_now(answer.first(answer.size() - left.size()), false);
  if (!answered && send_errno_ == ENOBUFS) last_step_ = Engine::Step::failed;
  BW_ASSERT(in.empty() || last_step_ == Engine::Step::closed || last_step_ == Engine::Step::failed);
  const size_t opened = room - data.size();
  if (opened > 0 && selects) {
    BW_ASSERT(user.group == group.id());
    user.buffer_selected = true;
    user.buffer_id = buffer_id;
    user.early = static_cast<uint32_t>(group.lead());
    return finish(receive_, static_cast<int32_t>(opened));
  }
  group.take_picked(buffer_id).release();
  if (opened > 0) return finish(receive_, static_cast<int32_t>(opened));
  int32_t result = -ECANCELED;
  if (has_ended(result) || receive_.cancelled) return finish(receive_, result);
  start_receive();
}

bool SecureStream::is_silent() const noexcept {
  int32_t result = 0;
  return !has_ended(result) && !early_ && !engine_.amid_record() && sys::nothing_to_read(fd_);
}

// ---- sending

void SecureStream::send(Op& op) noexcept {
  BW_ASSERT(send_.user == nullptr);
  send_.user = &op;
  send_.cancelled = false;
  sealed_bytes_ = 0;
  if (unsent_.empty())
    seal_and_send();
  else
    send_unsent();  // an answer of the engine's is before it
}

// The user's bytes from `done` on, at most a record of them. What lies scattered is gathered in `stage`.
std::span<const char> SecureStream::next_data(size_t done, std::span<char> stage) const noexcept {
  const Op& op = *send_.user;
  if (op.kind == Op::Kind::send) return {static_cast<const char*>(op.data) + done, op.bytes - done};
  size_t gathered = 0;
  for (size_t index = 0; index < op.message->msg_iovlen; index++) {
    const iovec& part = op.message->msg_iov[index];
    if (done >= part.iov_len) {
      done -= part.iov_len;
      continue;
    }
    const std::span<const char> rest(static_cast<const char*>(part.iov_base) + done, part.iov_len - done);
    if (gathered == 0 && (rest.size() >= stage.size() || index + 1 == op.message->msg_iovlen)) return rest;
    const size_t taken = std::min(rest.size(), stage.size() - gathered);
    std::memcpy(stage.data() + gathered, rest.data(), taken);
    gathered += taken;
    if (gathered == stage.size()) break;
    done = 0;
  }
  return stage.first(gathered);
}

void SecureStream::seal_and_send() noexcept {
  const std::span<char> stage = core_.seal_room().first(Engine::record_data_max);
  const std::span<char> room = core_.seal_room().subspan(Engine::record_data_max);
  std::span<char> left = room;
  const size_t most = is_slow_ ? slow_batch_bytes : batch_bytes;
  size_t sealed = 0;
  Engine::Step step = Engine::Step::done;
  while (sealed < most && step == Engine::Step::done) {
    std::span<const char> data = next_data(sealed, stage);
    if (data.empty()) break;
    const size_t record = reply_bytes_ < first_records_bytes ? first_record_bytes : Engine::record_data_max;
    data = data.first(std::min({data.size(), record, most - sealed}));
    const size_t bytes = data.size();
    step = engine_.seal(data, left);
    sealed += bytes - data.size();
    reply_bytes_ += bytes - data.size();
  }
  if (sealed == 0) return finish_later(send_, send_later_, step == Engine::Step::failed ? -EPROTO : 0);
  sealed_bytes_ = sealed;
  if (!send_now(room.first(room.size() - left.size()), send_.user->hold))
    return finish_later(send_, send_later_, -send_errno_);
  is_slow_ = !unsent_.empty();
  if (is_slow_) return send_unsent();
  finish_later(send_, send_later_, static_cast<int32_t>(sealed));
}

// Sends as much as the socket takes, and keeps the rest. False if the connection is broken.
bool SecureStream::send_now(std::span<const char> sealed, bool more) noexcept {
  size_t sent = 0;
  if (unsent_.empty() && !sealed.empty()) {
    const int64_t status = sys::send_now(fd_, sealed.data(), sealed.size(), more);
    if (status < 0 && status != -EAGAIN) {
      send_errno_ = static_cast<int>(-status);
      return false;
    }
    sent = status < 0 ? 0 : static_cast<size_t>(status);
  }
  if (sent == sealed.size()) return true;
  Unsent& rest = send_.op.in_flight ? answers_ : unsent_;
  if (&rest == &answers_ && rest.size() + sealed.size() > answers_bytes_max) {
    send_errno_ = ENOBUFS;
    return false;
  }
  rest.add(sealed.subspan(sent));
  return true;
}

void SecureStream::Unsent::add(std::span<const char> more) {
  std::unique_ptr<char[]> all = std::make_unique_for_overwrite<char[]>(size() + more.size());
  if (!empty()) std::memcpy(all.get(), bytes.get() + begin, size());
  std::memcpy(all.get() + size(), more.data(), more.size());
  end = size() + more.size();
  begin = 0;
  bytes = std::move(all);
}

void SecureStream::send_unsent() noexcept {
  Op& op = send_.op;
  op.kind = Op::Kind::send;
  op.fd = fd_;
  op.data = unsent_.bytes.get() + unsent_.begin;
  op.bytes = unsent_.end - unsent_.begin;
  op.hold = send_.user->hold;
  core_.ring().submit(op);
}

void SecureStream::on_sent(Op& op) {
  SecureStream& self = *static_cast<SecureStream*>(op.context);
  if (op.result < 0) return self.finish(self.send_, op.result);
  self.unsent_.begin += static_cast<size_t>(op.result);
  if (self.send_.cancelled) return self.finish(self.send_, -ECANCELED);
  if (self.unsent_.empty()) self.unsent_ = std::exchange(self.answers_, {});
  if (!self.unsent_.empty()) return self.send_unsent();
  if (self.sealed_bytes_ == 0) return self.seal_and_send();
  self.finish(self.send_, static_cast<int32_t>(self.sealed_bytes_));
}

void SecureStream::say_end() noexcept {
  const std::span<char> room = core_.seal_room();
  std::span<char> left = room;
  engine_.close(left);
  if (unsent_.empty()) send_now(room.first(room.size() - left.size()), false);
}

}  // namespace breakwater::tls
