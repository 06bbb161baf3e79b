// The twin of ring_uring.cc: the same class Ring over the simulated kernel, chosen when linking.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/assert.h"
#include "base/thread_counts.h"
#include "ring/ring.h"
#include "sim/ring_state.h"
#include "sim/verdict.h"

namespace breakwater {

struct Ring::Impl {
  std::shared_ptr<sim::RingState> state = std::make_shared<sim::RingState>();
};

Ring::Ring(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}
Ring::~Ring() {
  BW_ASSERT(impl_->state->in_flight == 0);
}
std::unique_ptr<Ring> Ring::open(uint32_t, std::string&) {
  return std::unique_ptr<Ring>(new Ring(std::make_unique<Impl>()));
}
void Ring::submit(Op& op) noexcept {
  BW_ASSERT(!op.in_flight);
  BW_ASSERT(op.on_complete != nullptr);
  op.in_flight = true;
  impl_->state->submit(op);
}
void Ring::cancel(Op& op) noexcept {
  if (op.in_flight) impl_->state->cancel(op);
}
void Ring::wait(int64_t wait_ns) noexcept {
  impl_->state->wait(wait_ns);
}
void Ring::dispatch() noexcept {
  impl_->state->dispatch();
}
bool Ring::make_group(uint16_t group, char* base, size_t bytes, size_t stride, uint32_t count) noexcept {
  return impl_->state->make_group(group, base, bytes, stride, count);
}
void Ring::provide(uint16_t group, uint16_t buffer_id) noexcept {
  impl_->state->provide(group, buffer_id);
}
uint32_t Ring::in_flight() const noexcept {
  return impl_->state->in_flight;
}
const RingCounts& Ring::counts() const noexcept {
  return impl_->state->counts;
}

namespace sim {

RingState::RingState() : kernel_(Kernel::current()) {
  all().push_back(this);
}
RingState::~RingState() {
  std::erase(all(), this);
}
std::vector<RingState*>& RingState::all() noexcept {
  thread_local std::vector<RingState*> rings;
  return rings;
}

bool RingState::runnable() const noexcept {
  return again_ || !queued_.empty() || !ready_.empty() || kernel_.now_ns() >= wake_ns_;
}

bool RingState::is_about_to_use(int fd) const noexcept {
  return std::any_of(active_.begin(), active_.end(),
                     [fd](const auto& entry) { return entry.second.fd == fd && !entry.second.armed; });
}

std::string RingState::describe() const {
  static constexpr const char* names[] = {"accept",    "connect",       "receive",       "receive_selected",
                                          "send",      "send_message",  "poll_readable", "poll_writable",
                                          "poll_gone", "poll_arrivals", "read"};
  std::string out = std::to_string(in_flight) + " in flight:";
  for (const auto& [id, active] : active_) {
    out += std::string(" ") + names[static_cast<size_t>(active.kind)] + "(" + std::to_string(active.fd) +
           ")" + (active.armed ? "" : "!");
  }
  return out;
}

// ---- from the proxy

void RingState::submit(Op& op) {
  const uint64_t id = next_id_++;
  Active active{};
  BW_ASSERT(!op.now && op.kind != Op::Kind::poll_arrivals);  // for TLS by the kernel, which has none here
  active.op = &op;
  active.kind = op.kind;
  active.poll_first = op.poll_first;
  active.group = op.group;
  active.fd = op.fd;
  active.data = static_cast<char*>(op.data);
  active.bytes = op.bytes;
  if (op.kind == Op::Kind::send_message) {
    active.parts.assign(op.message->msg_iov, op.message->msg_iov + op.message->msg_iovlen);
  }
  if (op.kind == Op::Kind::connect) {
    std::memcpy(&active.address.any, op.address, op.address_bytes);
    active.address.bytes = op.address_bytes;
  }
  kernel_.must(op.fd, "an operation");
  active_.emplace(id, std::move(active));
  ids_[&op] = id;
  queued_.push_back({false, id});
  in_flight++;
  counts.sqes++;
}

void RingState::cancel(Op& op) {
  queued_.push_back({true, ids_[&op]});
  counts.sqes++;
}

void RingState::wait(int64_t wait_ns) {
  counts.enters++;
  if (wait_ns != 0) counts.waits++;
  thread_counts.system_calls++;
  const bool was_due = kernel_.now_ns() >= wake_ns_;
  const std::vector<Request> requests = std::move(queued_);
  queued_.clear();
  for (const Request& request : requests) {
    if (request.cancels)
      do_cancel(request.id);
    else
      start(request.id);
  }
  for (const Completion& completion : ready_) completion.op->landed = true;
  if (ready_.size() > 1 && kernel_.strikes(Fault::reorder)) {
    // Any order, except that completions on one descriptor keep theirs: an answer never overtakes its
    // request's send.
    std::map<int, std::deque<Completion>> by_descriptor;
    std::vector<int> order;
    for (const Completion& completion : ready_) {
      by_descriptor[completion.fd].push_back(completion);
      order.push_back(completion.fd);
    }
    for (size_t index = order.size() - 1; index > 0; index--)
      std::swap(order[index], order[kernel_.below(index + 1)]);
    ready_.clear();
    for (const int fd : order) {
      ready_.push_back(by_descriptor[fd].front());
      by_descriptor[fd].pop_front();
    }
  }
  size_t count = ready_.size();
  if (count > 1 && kernel_.strikes(Fault::partial_turn)) count = 1 + kernel_.below(count);
  taken_.assign(ready_.begin(), ready_.begin() + static_cast<long>(count));
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<long>(count));
  counts.completions += count;
  wake_ns_ = wait_ns < 0 ? INT64_MAX : kernel_.now_ns() + wait_ns;
  again_ = count > 0 || wait_ns == 0 || was_due;
}

void RingState::dispatch() {
  for (const Completion& completion : taken_) {
    Op& op = *completion.op;
    op.landed = false;
    op.result = completion.result;
    op.more = completion.more;
    op.buffer_selected = completion.buffer_selected;
    op.buffer_id = completion.buffer_id;
    if (!op.more) {
      op.in_flight = false;
      in_flight--;
    }
    op.on_complete(op);
  }
}

bool RingState::make_group(uint16_t group, char* base, size_t bytes, size_t stride, uint32_t count) {
  if (groups_.size() <= group) groups_.resize(group + 1u);
  groups_[group] = {base, bytes, stride, std::vector<bool>(count, false), {}};
  return true;
}

void RingState::provide(uint16_t group, uint16_t buffer_id) {
  Group& of = groups_[group];
  if (of.ours[buffer_id]) violation("a buffer was provided that the kernel has");
  of.ours[buffer_id] = true;
  // What the proxy still reads from it after this shows as wrong bytes.
  std::memset(of.base + buffer_id * of.stride, 0xDB, std::min<size_t>(of.bytes, 64));
  of.free.push_back(buffer_id);
}

// ---- the kernel's side

void RingState::start(uint64_t id) {
  // Linux reads what is there while it submits: the proxy relies on that when it looks whether a server spoke
  // unasked.
  const Active& active = active_.at(id);
  const Descriptor& descriptor = kernel_.must(active.fd, "an operation");
  const bool receives = active.kind == Op::Kind::receive || active.kind == Op::Kind::receive_selected;
  const bool reads_at_once = receives && descriptor.kind == Descriptor::Kind::connection &&
                             kernel_.poll_mask(*descriptor.end) != POLLOUT;
  if (!reads_at_once && kernel_.strikes(Fault::late_start)) {
    kernel_.at(kernel_.now_ns() + static_cast<int64_t>(kernel_.below(3'000'000)),
               [self = shared_from_this(), id] { self->attempt(id); });
    return;
  }
  attempt(id);
}

void RingState::attempt(uint64_t id) {
  const auto found = active_.find(id);
  if (found == active_.end()) return;
  Active& active = found->second;
  switch (active.kind) {
    case Op::Kind::accept:
      return attempt_accept(id, active);
    case Op::Kind::connect:
      return kernel_.connect(active.fd, active.address, *this, id);
    case Op::Kind::receive:
    case Op::Kind::receive_selected:
      return attempt_receive(id, active);
    case Op::Kind::send:
    case Op::Kind::send_message:
      return attempt_send(id, active);
    case Op::Kind::poll_readable:
    case Op::Kind::poll_writable:
    case Op::Kind::poll_gone:
    case Op::Kind::poll_arrivals:
      return attempt_poll(id, active);
    case Op::Kind::read:
      return attempt_read(id, active);
  }
}

void RingState::look_at(uint64_t id) {
  const auto found = active_.find(id);
  if (found == active_.end() || !found->second.armed) return;
  attempt(id);
}

void RingState::arm(uint64_t id, Active& active) {
  if (active.armed) return;
  active.armed = true;
  kernel_.must(active.fd, "an operation").armed.emplace_back(this, id);
}

void RingState::disarm(uint64_t id, Active& active) {
  if (!active.armed) return;
  active.armed = false;
  auto& armed = kernel_.must(active.fd, "an operation").armed;
  std::erase_if(armed, [&](const auto& entry) { return entry.first == this && entry.second == id; });
}

void RingState::attempt_accept(uint64_t id, Active& active) {
  arm(id, active);
  const std::shared_ptr<Listening> listening = kernel_.must(active.fd, "accept").listening;
  while (!listening->waiting.empty()) {
    const int fd = kernel_.open(Descriptor::Kind::connection);
    if (fd < 0) {
      kernel_.cover("accept: no descriptor");
      return end(id, fd);
    }
    End* const connection = listening->waiting.front();
    listening->waiting.pop_front();
    kernel_.must(fd, "accept").end = connection;
    connection->fd = fd;
    kernel_.trace("kernel", "accepts connection ", connection->connection, " as ", fd);
    if (kernel_.strikes(Fault::end_of_accept)) {
      kernel_.cover("accept: ends with a connection");
      return end(id, fd);
    }
    post({active.op, active.fd, fd, true, false, 0});
  }
}

void RingState::attempt_receive(uint64_t id, Active& active) {
  Descriptor& descriptor = kernel_.must(active.fd, "receive");
  if (descriptor.kind != Descriptor::Kind::connection) return end(id, -ENOTCONN);
  End& connection = *descriptor.end;
  if (kernel_.strikes(Fault::no_memory)) {
    kernel_.trace("kernel", "connection ", connection.connection, " has no memory to receive");
    return end(id, -ENOMEM);
  }
  const bool readable = (kernel_.poll_mask(connection) & (POLLIN | POLLERR | POLLHUP)) != 0;
  if ((active.poll_first || active.armed) && !readable) return arm(id, active);
  active.poll_first = false;
  size_t room = active.bytes;
  char* data = active.data;
  uint16_t picked = 0;
  if (active.kind == Op::Kind::receive_selected) {
    Group& group = groups_[active.group];
    // As Linux does: the buffer is chosen before it is known whether there is anything to read.
    if (group.free.empty() || kernel_.strikes(Fault::no_buffers)) {
      kernel_.cover("receive: no buffers");
      kernel_.trace("kernel", "connection ", connection.connection, " has no buffer to receive into");
      return end(id, -ENOBUFS);
    }
    picked = group.free.front();
    room = room == 0 ? group.bytes : std::min(room, group.bytes);
    data = group.base + picked * group.stride;
  }
  if (room > 1 && kernel_.strikes(Fault::short_read)) room = 1 + kernel_.below(std::min<size_t>(room, 2000));
  const int64_t got = kernel_.receive(connection, data, room);
  if (got == -EAGAIN) return arm(id, active);
  kernel_.cover(got > 0 ? "receive: bytes" : got == 0 ? "receive: end" : "receive: reset");
  kernel_.trace("kernel", "connection ", connection.connection, " receives ", got);
  if (active.kind == Op::Kind::receive) return end(id, static_cast<int32_t>(got));
  // Some kernels hand a buffer over together with the end or an error.
  const bool selected = got > 0 || kernel_.below(20) == 0;
  if (selected) {
    Group& group = groups_[active.group];
    group.free.pop_front();
    group.ours[picked] = false;
  }
  end(id, static_cast<int32_t>(got), selected, picked);
}

void RingState::attempt_send(uint64_t id, Active& active) {
  Descriptor& descriptor = kernel_.must(active.fd, "send");
  if (descriptor.kind != Descriptor::Kind::connection) return end(id, -ENOTCONN);
  if (kernel_.strikes(Fault::no_memory)) return end(id, -ENOMEM);
  End& connection = *descriptor.end;
  std::vector<iovec> parts = active.parts;
  if (active.kind == Op::Kind::send) parts = {{active.data, active.bytes}};
  size_t most = SIZE_MAX;
  if (kernel_.strikes(Fault::short_write)) most = 1 + kernel_.below(3000);
  int64_t total = 0;
  for (const iovec& part : parts) {
    const size_t bytes = std::min(part.iov_len, most - static_cast<size_t>(total));
    if (bytes == 0) continue;
    const int64_t sent = kernel_.send(connection, part.iov_base, bytes);
    if (sent < 0) {
      if (total > 0) break;
      if (sent == -EAGAIN) return arm(id, active);
      kernel_.cover("send: broken");
      return end(id, static_cast<int32_t>(sent));
    }
    total += sent;
    if (static_cast<size_t>(sent) < part.iov_len) break;
  }
  kernel_.cover("send: bytes");
  kernel_.trace("kernel", "connection ", connection.connection, " sends ", total);
  end(id, static_cast<int32_t>(total));
}

void RingState::attempt_poll(uint64_t id, Active& active) {
  Descriptor& descriptor = kernel_.must(active.fd, "poll");
  if (descriptor.kind != Descriptor::Kind::connection) return end(id, POLLHUP);
  if (kernel_.strikes(Fault::no_memory)) return end(id, -ENOMEM);
  const int wanted = active.kind == Op::Kind::poll_readable   ? POLLIN
                     : active.kind == Op::Kind::poll_writable ? POLLOUT
                                                              : POLLRDHUP;
  const int mask = kernel_.poll_mask(*descriptor.end) & (wanted | POLLERR | POLLHUP);
  if (active.kind == Op::Kind::poll_gone) {
    arm(id, active);
    if (mask == active.told) return;
    active.told = mask;
    kernel_.cover("poll: gone");
    return post({active.op, active.fd, mask, true, false, 0});
  }
  if (mask == 0) return arm(id, active);
  kernel_.cover("poll: ready");
  end(id, mask);
}

void RingState::attempt_read(uint64_t id, Active& active) {
  Descriptor& descriptor = kernel_.must(active.fd, "read");
  if (descriptor.event_count == 0) return arm(id, active);
  const uint64_t count = std::exchange(descriptor.event_count, 0);
  std::memcpy(active.data, &count, sizeof count);
  end(id, sizeof count);
}

void RingState::completed(uint64_t id, int32_t result) {
  if (!active_.contains(id)) return;
  kernel_.cover(result == 0 ? "connect: done" : "connect: refused");
  end(id, result);
}

// A request, not a promise: what is done already, or under way, stays as it is.
void RingState::do_cancel(uint64_t id) {
  if (!active_.contains(id)) {
    kernel_.cover("cancel: too late");
    return;
  }
  kernel_.cover("cancel: in time");
  end(id, -ECANCELED);
}

void RingState::end(uint64_t id, int32_t result, bool buffer_selected, uint16_t buffer_id) {
  const auto found = active_.find(id);
  disarm(id, found->second);
  const Completion completion{found->second.op, found->second.fd, result, false, buffer_selected, buffer_id};
  // Bytes are moved and the completion posted in one step, so what moves bytes is late only by being tried
  // late.
  const Op::Kind kind = found->second.kind;
  const bool in_order = kind != Op::Kind::connect && kind != Op::Kind::poll_readable &&
                        kind != Op::Kind::poll_writable && kind != Op::Kind::poll_gone &&
                        kind != Op::Kind::read;
  const auto known = ids_.find(completion.op);
  if (known != ids_.end() && known->second == id) ids_.erase(known);
  active_.erase(found);
  if (!in_order && kernel_.strikes(Fault::late_completion)) {
    kernel_.at(kernel_.now_ns() + static_cast<int64_t>(kernel_.below(2'000'000)),
               [self = shared_from_this(), completion] { self->post(completion); });
    return;
  }
  post(completion);
}

void RingState::post(const Completion& completion) {
  ready_.push_back(completion);
}

}  // namespace sim
}  // namespace breakwater
