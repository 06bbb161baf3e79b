#include "sim/kernel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "sim/ring_state.h"
#include "sim/verdict.h"

namespace breakwater::sim {

namespace {
thread_local Kernel* current_kernel = nullptr;
constexpr size_t descriptors_max = 20000;
}  // namespace

Kernel::Kernel(uint64_t seed, const Faults& faults) : rng_(Rng(seed).next()), faults_(faults) {
  current_kernel = this;
  descriptors_.resize(3);  // as if 0, 1 and 2 were taken
  for (Descriptor& descriptor : descriptors_) descriptor.kind = Descriptor::Kind::event;
}

Kernel::~Kernel() {
  current_kernel = nullptr;
}

Kernel& Kernel::current() noexcept {
  BW_ASSERT(current_kernel != nullptr);
  return *current_kernel;
}

bool Kernel::strikes(Fault fault) noexcept {
  const uint16_t chance = faults_[fault];
  if (chance == 0 || below(1000) >= chance) return false;
  thrown_[static_cast<size_t>(fault)]++;
  return true;
}

// ---- time

void Kernel::at(int64_t when_ns, std::function<void()> what) {
  if (free_slots_.empty()) {
    free_slots_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = std::move(what);
  events_.push({when_ns, event_number_++, slot});
}

void Kernel::soon(std::coroutine_handle<> who) {
  at(now_ns_ + static_cast<int64_t>(below(2000)), [who] { who.resume(); });
}

void Kernel::run_events() {
  while (!events_.empty() && events_.top().when_ns <= now_ns_) {
    const uint32_t slot = events_.top().slot;
    const std::function<void()> what = std::exchange(slots_[slot], nullptr);
    free_slots_.push_back(slot);
    events_.pop();
    what();
  }
}

// ---- the network

int64_t Kernel::latency() noexcept {
  if (strikes(Fault::slow_network)) return 1'000'000 + static_cast<int64_t>(below(40'000'000));
  return 2'000 + static_cast<int64_t>(below(40'000));
}

int64_t Kernel::arrival_ns(Stream& stream) noexcept {
  stream.last_arrival_ns = std::max(stream.last_arrival_ns + 1, now_ns_ + latency());
  return stream.last_arrival_ns;
}

std::shared_ptr<PeerListener> Kernel::listen(const Address& address,
                                             std::function<void(End*)> on_connection) {
  auto listener = std::make_shared<PeerListener>();
  listener->address = address;
  listener->on_connection = std::move(on_connection);
  servers_.push_back(listener);
  return listener;
}

std::pair<End*, End*> Kernel::make_connection() {
  ends_.push_back(std::make_unique<End>());
  End* const one = ends_.back().get();
  ends_.push_back(std::make_unique<End>());
  End* const other = ends_.back().get();
  one->peer = other;
  other->peer = one;
  one->connection = other->connection = ++connection_number_;
  one->in.capacity = 4096u << below(6);
  other->in.capacity = 4096u << below(6);
  return {one, other};
}

End* Kernel::connect_to_proxy(const Address& to, const Address& from) {
  std::vector<Listening*> open;
  std::vector<int> descriptors;
  for (const auto& [fd, listening] : proxy_listeners_) {
    if (listening->address.port() != to.port()) continue;
    open.push_back(listening.get());
    descriptors.push_back(fd);
  }
  if (open.empty()) return nullptr;
  const size_t chosen = below(open.size());
  const auto [client, accepted] = make_connection();
  client->of_client = true;
  client->local = accepted->remote = from;
  client->remote = accepted->local = to;
  open[chosen]->waiting.push_back(accepted);
  const int fd = descriptors[chosen];
  at(now_ns_ + latency(), [this, fd] {
    if (find(fd) != nullptr) changed(fd);
  });
  return client;
}

int Kernel::listen_as_proxy(Address& address) {
  const int fd = open(Descriptor::Kind::listener);
  if (fd < 0) return fd;
  if (address.port() == 0) address.set_port(8080);
  auto listening = std::make_shared<Listening>();
  listening->address = address;
  must(fd, "listen").listening = listening;
  proxy_listeners_.emplace_back(fd, listening);
  return fd;
}

void Kernel::connect(int fd, const Address& to, RingState& ring, uint64_t id) {
  at(now_ns_ + latency(), [this, fd, to, ring = ring.shared_from_this(), id] {
    if (!ring->waits(id)) return;  // cancelled meanwhile
    for (const std::shared_ptr<PeerListener>& server : servers_) {
      if (server->address.port() != to.port()) continue;
      if (!server->open) break;
      if (server->silent) return;
      const auto [near, far] = make_connection();
      near->remote = far->local = to;
      near->local.bytes = far->remote.bytes = sizeof(sockaddr_in);
      near->local.v4.sin_family = far->remote.v4.sin_family = AF_INET;
      near->fd = fd;
      Descriptor& descriptor = must(fd, "connect");
      descriptor.kind = Descriptor::Kind::connection;
      descriptor.end = near;
      trace("proxy", "connects ", fd, " as connection ", near->connection);
      server->on_connection(far);
      return ring->completed(id, 0);
    }
    ring->completed(id, -ECONNREFUSED);
  });
}

int64_t Kernel::receive(End& end, void* data, size_t bytes) {
  if (end.closed) return -ECONNRESET;
  Stream& in = end.in;
  if (in.arrived > 0) {
    const size_t taken = std::min(bytes, in.arrived);
    std::memcpy(data, in.bytes.data() + in.read_at, taken);
    in.read_at += taken;
    in.arrived -= taken;
    if (in.read_at == in.bytes.size()) {
      in.bytes.clear();
      in.read_at = 0;
    } else if (in.read_at > 65536) {
      in.bytes.erase(0, in.read_at);
      in.read_at = 0;
    }
    End& writer = *end.peer;  // it has room again, once the acknowledgement is there
    at(now_ns_ + latency(), [this, &writer] { changed(writer); });
    return static_cast<int64_t>(taken);
  }
  if (end.pending_error != 0) return -std::exchange(end.pending_error, 0);
  if (end.aborted) return -ENOTCONN;
  if (end.reset || in.end_arrived) return 0;
  return -EAGAIN;
}

int64_t Kernel::send(End& end, const void* data, size_t bytes) {
  if (end.closed) return -EPIPE;
  if (end.pending_error != 0) return -std::exchange(end.pending_error, 0);
  if (end.reset || end.shut_write) return -EPIPE;
  const size_t taken = std::min(bytes, end.room());
  if (taken == 0) return -EAGAIN;
  Stream& out = end.peer->in;
  out.bytes.append(static_cast<const char*>(data), taken);
  End& to = *end.peer;
  at(arrival_ns(out), [this, &to, taken] { arrive(to, taken); });
  return static_cast<int64_t>(taken);
}

bool Kernel::send_at_rest(End& end, std::string_view bytes) {
  End& to = *end.peer;
  if (end.closed || end.reset || to.closed || to.shut_write || end.in.held() > 0 || to.in.held() > 0)
    return false;
  for (const RingState* const ring : RingState::all()) {
    if (ring->is_about_to_use(to.fd)) return false;
  }
  to.in.bytes.append(bytes);
  to.in.arrived += bytes.size();
  to.in.ever_arrived += bytes.size();
  changed(to);
  return true;
}

void Kernel::arrive(End& to, size_t bytes) {
  Stream& in = to.in;
  const size_t on_the_way = in.held() - in.arrived;
  bytes = std::min(bytes, on_the_way);  // less if a reset dropped them
  if (bytes == 0 || to.reset) return;
  if (to.closed) {  // nobody will read them (RFC 9293 §3.6.1)
    in.bytes.clear();
    in.read_at = in.arrived = 0;
    send_reset(to);
    return;
  }
  in.arrived += bytes;
  in.ever_arrived += bytes;
  changed(to);
  if (to.peer->of_client && to.fd >= 0 && at_next_arrival_) std::exchange(at_next_arrival_, nullptr)();
  if (strikes(Fault::network_reset)) {
    trace("network", "connection ", to.connection, " breaks");
    arrive_reset(to);
    arrive_reset(*to.peer);
  }
}

void Kernel::send_reset(End& from) {
  End& to = *from.peer;
  Stream& stream = to.in;
  if (below(2) == 0) {  // what was not sent yet is dropped
    stream.bytes.resize(stream.read_at + stream.arrived);
    stream.cut = true;
  }
  at(arrival_ns(stream), [this, &to] { arrive_reset(to); });
}

void Kernel::arrive_reset(End& to) {
  if (to.closed || to.reset) return;
  to.reset = true;
  to.pending_error = to.in.end_arrived ? EPIPE : ECONNRESET;
  changed(to);
}

void Kernel::shutdown_write(End& end) {
  if (end.shut_write || end.reset) return;
  end.shut_write = true;
  End& to = *end.peer;
  to.in.end_sent = true;
  at(arrival_ns(to.in), [this, &to] {
    if (to.in.cut) return;
    to.in.end_arrived = true;
    if (!to.closed) changed(to);
  });
  changed(end);
}

void Kernel::abort(End& end) {
  if (end.reset) return;
  send_reset(end);
  end.in.bytes = std::string();
  end.in.read_at = end.in.arrived = 0;
  end.reset = end.aborted = true;
  end.pending_error = ECONNRESET;
  changed(end);
}

void Kernel::close(End& end) {
  if (end.closed) return;
  const bool unread = end.in.arrived > 0;
  if (!end.reset) {
    if (end.reset_on_close || unread)
      send_reset(end);
    else
      shutdown_write(end);
  }
  end.closed = true;
  end.fd = -1;
  end.in.bytes = std::string();
  end.in.read_at = end.in.arrived = 0;
}

short Kernel::poll_mask(const End& end) const noexcept {
  int mask = 0;
  const bool gone = end.reset;
  if (end.aborted) return static_cast<short>(POLLOUT | POLLHUP | (end.pending_error != 0 ? POLLERR : 0));
  const bool reading_over = end.in.end_arrived || gone;
  const bool writing_over = end.shut_write || gone;
  const bool enough = end.in.arrived > 0 && end.in.arrived >= std::min(end.low_water, end.in.capacity);
  if (enough || reading_over) mask |= POLLIN;
  if (reading_over) mask |= POLLRDHUP;
  if (writing_over || end.room() * 3 >= end.peer->in.capacity) mask |= POLLOUT;
  if (reading_over && writing_over) mask |= POLLHUP;
  if (end.pending_error != 0) mask |= POLLERR;
  return static_cast<short>(mask);
}

void Kernel::wake(End& end) {
  for (std::coroutine_handle<>& waiter : end.waiters) {
    if (waiter) soon(std::exchange(waiter, nullptr));
  }
}

void Kernel::changed(End& end) {
  if (end.closed) return;
  if (end.fd >= 0) return changed(end.fd);
  wake(end);
}

// ---- descriptors

int Kernel::open(Descriptor::Kind kind) noexcept {
  if (strikes(Fault::no_descriptors)) return -EMFILE;
  size_t fd = 0;
  while (fd < descriptors_.size() && descriptors_[fd].kind != Descriptor::Kind::none) fd++;
  if (fd == descriptors_max) return -EMFILE;
  if (fd == descriptors_.size()) descriptors_.emplace_back();
  descriptors_[fd] = Descriptor{};
  descriptors_[fd].kind = kind;
  return static_cast<int>(fd);
}

Descriptor* Kernel::find(int fd) noexcept {
  if (fd < 3 || static_cast<size_t>(fd) >= descriptors_.size()) return nullptr;
  Descriptor& descriptor = descriptors_[static_cast<size_t>(fd)];
  return descriptor.kind == Descriptor::Kind::none ? nullptr : &descriptor;
}

Descriptor& Kernel::must(int fd, const char* what) {
  Descriptor* const descriptor = find(fd);
  if (descriptor == nullptr)
    violation(std::string(what) + " of a descriptor that is not open: " + std::to_string(fd));
  return *descriptor;
}

void Kernel::close_fd(int fd) {
  Descriptor& descriptor = must(fd, "close");
  if (!descriptor.armed.empty()) violation("a descriptor was closed with an operation in flight");
  switch (descriptor.kind) {
    case Descriptor::Kind::connection:
      descriptor.end->reset_on_close |= descriptor.reset_on_close;
      trace("proxy", "closes connection ", descriptor.end->connection,
            descriptor.end->reset_on_close ? " with a reset" : "");
      close(*descriptor.end);
      break;
    case Descriptor::Kind::listener:
      for (End* const end : descriptor.listening->waiting) {
        end->reset_on_close = true;
        close(*end);
      }
      std::erase_if(proxy_listeners_, [fd](const auto& listener) { return listener.first == fd; });
      break;
    case Descriptor::Kind::pipe_read:
      descriptor.pipe->read_closed = true;
      break;
    case Descriptor::Kind::pipe_write:
      descriptor.pipe->write_closed = true;
      break;
    default:
      break;
  }
  descriptor = Descriptor{};
}

size_t Kernel::open_descriptors() const noexcept {
  size_t count = 0;
  for (const Descriptor& descriptor : descriptors_) count += descriptor.kind != Descriptor::Kind::none;
  return count - 3;
}

void Kernel::describe_open(std::string& out) const {
  static constexpr const char* names[] = {"none", "socket", "listener", "connection",
                                          "pipe", "pipe",   "event"};
  for (size_t fd = 3; fd < descriptors_.size(); fd++) {
    if (descriptors_[fd].kind == Descriptor::Kind::none) continue;
    out += " " + std::to_string(fd) + "=" + names[static_cast<size_t>(descriptors_[fd].kind)];
  }
}

void Kernel::changed(int fd) {
  Descriptor* const descriptor = find(fd);
  if (descriptor == nullptr) return;
  const auto armed = descriptor->armed;
  for (const auto& [ring, id] : armed) ring->look_at(id);
}

void Kernel::write_trace(const char* who, const std::string& line) const {
  std::printf("%12.3f ms  %-9s %s\n", static_cast<double>(now_ns_ - 1'000'000'000'000) / 1e6, who,
              line.c_str());
}

}  // namespace breakwater::sim
