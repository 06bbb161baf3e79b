#include "tls/secure_stream.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "ring/sys.h"
#include "tls/handshakes.h"

namespace breakwater::tls {

namespace {

constexpr size_t record_bytes_max = Engine::record_data_max + Engine::record_overhead_max;
// Payload of one send. So many records fit one buffer of the kernel's; with more, bulk downloads took a third
// more CPU time (docs/performance.md).
constexpr size_t batch_bytes = 3 * Engine::record_data_max;
// What the engine has to say of its own while the other side takes nothing. Who makes it say more is turned
// out.
constexpr size_t answers_bytes_max = 4096;
// Until a socket that was said to have more, and has not, is looked at again.
constexpr int64_t pause_ns = 20'000'000;
// The first records of a reply fit a packet each, so that its head can be read before the rest is there.
constexpr size_t first_record_bytes = 1300;
constexpr size_t first_records_bytes = 2 * first_record_bytes;

static_assert(Core::seal_room_bytes >=
              Engine::record_data_max +
                  (batch_bytes / Engine::record_data_max + 4) * Engine::record_overhead_max + batch_bytes +
                  Engine::room_min);
static_assert(Stream::receive_bytes_min > record_bytes_max + 1024);

}  // namespace

SecureStream::~SecureStream() {
  BW_ASSERT(receive_.user == nullptr && send_.user == nullptr);
}

// ---- the handshake

void SecureStream::stop_if_unheard() noexcept {
  if (is_unheard_) stop_handshake();
}

void SecureStream::stop_handshake() noexcept {
  stopped_ = true;
  if (waits_for_ != nullptr) core_.ring().cancel(*waits_for_);
  if (waits_for_turn_ != nullptr) waits_for_turn_->stop();
  if (waits_for_pause_ != nullptr) waits_for_pause_->set();
}

Task<Shake> SecureStream::shake_hands(Handshakes* handshakes, int64_t due_ns) {
  Deadline deadline(
      core_, due_ns, [](void* self) { static_cast<SecureStream*>(self)->stop_handshake(); }, this);
  Shake shake;
  bool goes_on = true;
  if (handshakes != nullptr) {
    is_unheard_ = true;
    goes_on = co_await readable();  // who says nothing needs no place
    is_unheard_ = false;
    shake.said_nothing = !goes_on;
    if (goes_on) {
      Handshakes::Wait place = handshakes->enter();
      goes_on = co_await turn_of(place);
    }
  }
  if (goes_on) {
    shake = co_await exchange_hellos(handshakes);
    if (handshakes != nullptr) handshakes->leave();
  }
  shake.timed_out = !engine_.handshake_done() && (deadline.expired() || !shake.fault);
  shake.asked_name = engine_.asked_name();
  co_return shake;
}

bool SecureStream::give_to_kernel() noexcept {
  if (engine_.records() == nullptr || !unsent_.empty()) return true;  // what is sealed goes first
  kernel_ = KernelRecords::take_over(fd_, *engine_.records());
  if (kernel_ == nullptr) return true;
  arrivals_ = std::make_unique<Arrivals>(core_, fd_, on_arrival, this);
  engine_.lose_records();
  return !kernel_->fault();
}

// Look, let the engine take a step, send; until it is done or nothing more comes. What the engine can't use
// yet stays in the socket, so nothing is held for a hello that is not whole.
Task<Shake> SecureStream::exchange_hellos(Handshakes* handshakes) {
  Shake shake;
  size_t unused = 0;
  bool heard = false;                           // a byte at least
  bool something_came = handshakes != nullptr;  // bytes, or the end; a client speaks first
  for (;;) {
    if (handshakes != nullptr) {
      Handshakes::Wait turn = handshakes->step();
      const bool goes_on = co_await turn_of(turn);
      if (!goes_on) co_return shake;
    }
    const std::span<char> look = core_.look_room();
    const int64_t seen = sys::peek(fd_, look.data(), look.size());
    const bool grew = seen > static_cast<int64_t>(unused);
    // Where its memory is short the kernel tells also of bytes that are not new; so look again, but not at
    // once.
    if (something_came && !grew && seen > 0 && !sys::peer_ended(fd_)) {
      co_await pause();
      if (stopped_) co_return shake;
      continue;
    }
    if (something_came && !grew && seen != -EAGAIN) {
      shake.said_nothing = !heard;
      shake.fault = engine_.ended();
      co_return shake;
    }
    heard = heard || grew;
    std::span<const char> in(look.data(), static_cast<size_t>(std::max<int64_t>(seen, 0)));
    const std::span<char> room = core_.seal_room();
    std::span<char> left = room;
    const size_t there = in.size();
    const Engine::Step step = engine_.handshake(in, left);
    if (in.size() < there) sys::receive_now(fd_, look.data(), there - in.size());
    const bool sent = send_now(room.first(room.size() - left.size()), false);
    if (sent && !unsent_.empty()) co_await send_rest();
    if (step == Engine::Step::failed) shake.fault = engine_.fault();
    const bool is_over = step == Engine::Step::failed || step == Engine::Step::done || stopped_;
    await_more_than(is_over ? 0 : in.size());
    unused = in.size();
    if (is_over) co_return shake;
    something_came = step == Engine::Step::wants_input;
    if (!something_came) continue;
    std::optional<Handshakes::ForClient> holds_up;
    if (handshakes != nullptr)
      holds_up.emplace(
          *handshakes, [](void* self) { static_cast<SecureStream*>(self)->stop_handshake(); }, this);
    const bool goes_on = co_await readable();
    if (!goes_on) co_return shake;
  }
}

// The next poll hears of more bytes than these, or of the end.
void SecureStream::await_more_than(size_t bytes) noexcept {
  if (std::exchange(low_water_, bytes + 1) != bytes + 1) sys::set_low_water(fd_, bytes + 1);
}

Task<bool> SecureStream::readable() {
  if (stopped_) co_return false;
  RingCall call(core_);
  call.kind = Op::Kind::poll_readable;
  call.fd = fd_;
  waits_for_ = &call;
  const int32_t ready = co_await call;
  waits_for_ = nullptr;
  co_return ready >= 0 && !stopped_;
}

Task<void> SecureStream::pause() {
  Signal over(core_);
  Timer timer([](void* signal) { static_cast<Signal*>(signal)->set(); }, &over);
  core_.timers().arm(timer, core_.now_ns() + pause_ns);
  waits_for_pause_ = &over;
  co_await over;
  waits_for_pause_ = nullptr;
}

Task<bool> SecureStream::turn_of(Handshakes::Wait& wait) {
  waits_for_turn_ = &wait;
  const bool goes_on = co_await wait;
  waits_for_turn_ = nullptr;
  co_return goes_on;
}

Task<void> SecureStream::send_rest() {
  while (!unsent_.empty() && !stopped_) {
    RingCall call(core_);
    call.kind = Op::Kind::send;
    call.fd = fd_;
    call.data = unsent_.bytes.get() + unsent_.begin;
    call.bytes = unsent_.size();
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
  const bool sends = op.kind == Op::Kind::send || op.kind == Op::Kind::send_message;
  if (sends && is_kernels()) {
    op.hold = false;  // a record that was held open would be lost with the connection
    return core_.ring().submit(op);
  }
  op.in_flight = true;
  op.buffer_selected = false;
  if (sends) return send(op);
  BW_ASSERT(op.kind == Op::Kind::receive || op.kind == Op::Kind::receive_selected);
  receive(op);
}

// As the ring's: a request. What has come to its end meanwhile ends as it did.
void SecureStream::cancel(Op& op) noexcept {
  if (!op.in_flight) return;
  if (is_kernels() && &op != receive_.user) return core_.ring().cancel(op);
  Way& way = &op == receive_.user ? receive_ : send_;
  BW_ASSERT(way.user == &op);
  way.cancelled = true;
  if (is_kernels() && arrivals_->waits()) {
    arrivals_->stop();
    return finish_later(receive_, receive_later_, -ECANCELED);
  }
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
  if (has_ended(result)) return finish_later(receive_, receive_later_, result);
  start_receive();
}

void SecureStream::on_receive_later(void* context) {
  SecureStream& self = *static_cast<SecureStream*>(context);
  self.finish(self.receive_, self.receive_.user->result);
}

// Where the user wants the payload, behind as much room as a part of a record may need that the engine holds;
// the kernel needs none.
void SecureStream::start_receive() noexcept {
  receive_armed_in_turn_ = core_.turns();
  if (is_kernels() && !arrivals_->may_be_there()) return arrivals_->wait();
  const Op& user = *receive_.user;
  Op& op = receive_.op;
  op.kind = user.kind;
  op.fd = fd_;
  op.now = is_kernels();
  op.poll_first = user.poll_first && !op.now;
  if (user.kind == Op::Kind::receive_selected) {
    op.group = user.group;
    op.bytes = 0;
  } else {
    BW_ASSERT(user.bytes >= Stream::receive_bytes_min);
    const size_t front = is_kernels() ? 0 : record_bytes_max;
    op.data = static_cast<char*>(user.data) + front;
    op.bytes = user.bytes - front;
  }
  core_.ring().submit(op);
}

void SecureStream::on_arrival(void* context, int32_t error) {
  SecureStream& self = *static_cast<SecureStream*>(context);
  if (error != 0) return self.finish(self.receive_, error);
  self.start_receive();
}

bool SecureStream::landed(const Op& op) const noexcept {
  return &op == receive_.user && (receive_.op.landed || (is_kernels() && arrivals_->landed()));
}

bool SecureStream::armed_before_this_turn() const noexcept {
  if (receive_armed_in_turn_ == core_.turns()) return false;
  return is_kernels() ? arrivals_->waits() : receive_.op.in_flight && !engine_.amid_record();
}

void SecureStream::on_received(Op& op) {
  static_cast<SecureStream*>(op.context)->received();
}

void SecureStream::received() noexcept {
  const Op& op = receive_.op;
  Op& user = *receive_.user;
  BufferGroup* const group = op.buffer_selected ? &core_.buffers_of(op.group) : nullptr;
  int32_t result = op.result;
  if (is_kernels()) {
    result = of_kernel(result);
  } else if (result > 0) {
    const size_t bytes = static_cast<size_t>(result);
    char* const memory = group != nullptr ? group->memory_of(op.buffer_id) : static_cast<char*>(user.data);
    result = open({memory, (group != nullptr ? group->lead() : record_bytes_max) + bytes}, bytes);
  } else if (result == 0) {
    const Fault fault = engine_.ended();
    last_step_ = fault ? Engine::Step::failed : Engine::Step::closed;
    result = fault ? -EPROTO : 0;
  }
  const bool is_payload = result > 0;
  if (is_payload && group != nullptr) {
    user.buffer_selected = true;
    user.buffer_id = op.buffer_id;
    user.early = is_kernels() ? 0 : static_cast<uint32_t>(group->lead());
  } else if (group != nullptr) {
    group->take_picked(op.buffer_id).release();
  }
  if (result == -EAGAIN && !receive_.cancelled) return start_receive();
  finish(receive_, result == -EAGAIN ? -ECANCELED : result);
}

// What a receive of data that the kernel opens came to; -EAGAIN: none came, and more may.
int32_t SecureStream::of_kernel(int32_t result) noexcept {
  if (result > 0) {
    kernel_->data_came(static_cast<size_t>(result));
    return result;
  }
  if (result == 0)
    last_step_ = kernel_->ended();
  else if (result == -EAGAIN)
    arrivals_->found_nothing();
  else if (KernelRecords::is_for_us(-result))
    last_step_ = kernel_->receive_failed(-result);
  else
    return result;
  result = -EAGAIN;
  has_ended(result);
  return result;
}

// Opens the last `bytes` of `memory` to its front. How much payload that was, 0 at its end, -EPROTO, or
// -EAGAIN: none came, and more may.
int32_t SecureStream::open(std::span<char> memory, size_t bytes) noexcept {
  std::span<char> in = memory.last(bytes);
  std::span<char> data = memory;
  const std::span<char> answer = core_.seal_room();
  std::span<char> left = answer;
  last_step_ = engine_.open(in, data, left);
  const bool answered = send_now(answer.first(answer.size() - left.size()), false);
  if (!answered && send_errno_ == ENOBUFS) last_step_ = Engine::Step::failed;
  BW_ASSERT(in.empty() || last_step_ == Engine::Step::closed || last_step_ == Engine::Step::failed);
  if (data.size() < memory.size()) return static_cast<int32_t>(memory.size() - data.size());
  int32_t result = -EAGAIN;
  has_ended(result);
  return result;
}

bool SecureStream::is_silent() const noexcept {
  int32_t result = 0;
  return !has_ended(result) && !engine_.amid_record() && sys::nothing_to_read(fd_);
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
  size_t sealed = 0;
  Engine::Step step = Engine::Step::done;
  while (sealed < batch_bytes && step == Engine::Step::done) {
    std::span<const char> data = next_data(sealed, stage);
    if (data.empty()) break;
    const size_t record = reply_bytes_ < first_records_bytes ? first_record_bytes : Engine::record_data_max;
    data = data.first(std::min({data.size(), record, batch_bytes - sealed}));
    const size_t bytes = data.size();
    step = engine_.seal(data, left);
    sealed += bytes - data.size();
    reply_bytes_ += bytes - data.size();
  }
  if (sealed == 0) return finish_later(send_, send_later_, step == Engine::Step::failed ? -EPROTO : 0);
  sealed_bytes_ = sealed;
  // To a slow reader a close_notify of its own would find no room in the socket.
  if (send_.user->hold && next_data(sealed, stage).empty()) seal_end(left);
  if (!send_now(room.first(room.size() - left.size()), send_.user->hold))
    return finish_later(send_, send_later_, -send_errno_);
  if (!unsent_.empty()) return send_unsent();
  finish_later(send_, send_later_, static_cast<int32_t>(sealed));
}

// Sends as much as the socket takes, and keeps the rest. False if the connection is broken.
bool SecureStream::send_now(std::span<const char> sealed, bool more) noexcept {
  size_t sent = 0;
  Unsent& rest = send_.op.in_flight ? answers_ : unsent_;
  // Of the user's, nothing is sealed before all that was is sent.
  if (!unsent_.empty() && rest.size() + sealed.size() > answers_bytes_max) {
    send_errno_ = ENOBUFS;
    return false;
  }
  if (unsent_.empty() && !sealed.empty()) {
    const int64_t status = sys::send_now(fd_, sealed.data(), sealed.size(), more);
    if (status < 0 && status != -EAGAIN) {
      send_errno_ = static_cast<int>(-status);
      return false;
    }
    sent = status < 0 ? 0 : static_cast<size_t>(status);
  }
  if (sent < sealed.size()) rest.add(sealed.subspan(sent));
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

void SecureStream::seal_end(std::span<char>& out) noexcept {
  if (!std::exchange(said_end_, true)) engine_.close(out);
}

Task<void> SecureStream::leave() {
  if (is_kernels()) co_await arrivals_->leave();
}

const msghdr* SecureStream::say_end() noexcept {
  if (is_kernels()) return kernel_->end_message();
  const std::span<char> room = core_.seal_room();
  std::span<char> left = room;
  seal_end(left);
  if (unsent_.empty()) send_now(room.first(room.size() - left.size()), false);
  return nullptr;
}

}  // namespace breakwater::tls
