#include "counts/world.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "app/metrics.h"
#include "base/assert.h"
#include "counts/every_malloc.h"
#include "proxy/limits.h"
#include "proxy/serving.h"
#include "ring/sys.h"

namespace breakwater::counts {

namespace {

constexpr int backlog = 64;
constexpr std::string_view head_end = "\r\n\r\n";
constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace

Peer::Peer(const Address& from, const Address& to) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  BW_ASSERT(fd_ >= 0);
  BW_ASSERT(bind(fd_, &from.any, from.bytes) == 0);
  BW_ASSERT(connect(fd_, &to.any, to.bytes) == 0);
}

Peer::~Peer() {
  close(fd_);
}

void Peer::shut_down() noexcept {
  shutdown(fd_, SHUT_RDWR);
}

bool Peer::send(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool Peer::read_message() {
  std::array<char, 65536> room;
  std::string head;
  size_t end = std::string::npos;
  while (end == std::string::npos) {
    const ssize_t got = recv(fd_, room.data(), room.size(), 0);
    if (got <= 0) return false;
    head.append(room.data(), static_cast<size_t>(got));
    end = head.find(head_end);
  }
  std::string tail = head.substr(end + head_end.size());
  size_t body = tail.size();
  head.resize(end);
  const bool chunked = head.find("chunked") != std::string::npos;
  const size_t length_at = head.find("Content-Length: ");
  const size_t length =
      length_at == std::string::npos ? 0 : std::strtoull(head.c_str() + length_at + 16, nullptr, 10);
  while (chunked ? !tail.ends_with(last_chunk) : body < length) {
    const ssize_t got = recv(fd_, room.data(), room.size(), 0);
    if (got <= 0) return false;
    body += static_cast<size_t>(got);
    tail.append(room.data(), static_cast<size_t>(got));
    tail.erase(0, tail.size() - std::min(tail.size(), last_chunk.size()));
  }
  return true;
}

Server::Server(std::string answer) : answer_(std::move(answer)), address_(loopback()) {
  listener_ = sys::listen_on(address_, backlog, false);
  BW_ASSERT(listener_ >= 0);
  acceptor_ = std::thread([this] { accept_all(); });
}

Server::~Server() {
  shutdown(listener_, SHUT_RDWR);  // wakes accept()
  acceptor_.join();
  {
    const std::lock_guard<std::mutex> lock(guard_);
    for (Peer& peer : peers_) peer.shut_down();
  }
  for (std::thread& thread : threads_) thread.join();
  close(listener_);
}

void Server::accept_all() {
  for (;;) {
    const int fd = accept(listener_, nullptr, nullptr);
    if (fd < 0) return;
    const std::lock_guard<std::mutex> lock(guard_);
    Peer& peer = peers_.emplace_back(fd);
    threads_.emplace_back([this, &peer] { serve(peer); });
  }
}

void Server::serve(Peer& peer) {
  while (peer.read_message() && peer.send(answer_)) {
  }
  peer.shut_down();
}

Counts operator-(const Counts& later, const Counts& earlier) {
  Counts difference;
  for (const auto member :
       {&Counts::requests, &Counts::log_lines, &Counts::probes, &Counts::allocations, &Counts::mallocs,
        &Counts::frames, &Counts::system_calls, &Counts::enters, &Counts::sqes, &Counts::wake_ups,
        &Counts::switches, &Counts::bytes, &Counts::bytes_copied}) {
    difference.*member = later.*member - earlier.*member;
  }
  return difference;
}

Proxy::Proxy(const Address& server, const config::Probe& probe)
    : address_(loopback()), log_(proxy::log_ring_bytes) {
  // Small, so that a pool is soon as full as it will ever be.
  config_.limits.servers_idle = 2;
  config::Pool& pool = config_.pools.emplace_back();
  pool.name = "main";
  pool.probe = probe;
  pool.servers.push_back({.address = {"server", 80}});
  std::deque<proxy::Server> servers;
  servers.emplace_back("server", server);
  pools_.emplace_back(pool, std::move(servers));
  config::Listen listen;
  listen.name = listen.pool = "main";
  sites_.push_back({"main", proxy::Router(config_, listen), {}});
  const int listener = sys::listen_on(address_, backlog, false);
  BW_ASSERT(listener >= 0);
  thread_ = std::thread([this, listener] {
    std::string why;
    const std::unique_ptr<Core> core = Core::open(0, {}, stats_, log_, mailbox_, why);
    BW_ASSERT(core != nullptr);
    thread_id_.store(gettid());
    core->set_log_signal([](void* self) { static_cast<Proxy*>(self)->mallocs_.store(every_malloc()); }, this);
    proxy::Serving serving(*core, config_, sites_, pools_, {listener}, 1);
    core->run();
  });
}

Proxy::~Proxy() {
  mailbox_.post(Mailbox::stop_now);
  thread_.join();
}

Counts Proxy::counts() {
  log_.drain([this](const char* data, size_t bytes) {
    log_lines_ += static_cast<uint64_t>(std::count(data, data + bytes, '\n'));
  });
  const app::ContextSwitches switches = app::context_switches(thread_id_.load());
  Counts counts;
  counts.requests = stats_.requests.get();
  counts.log_lines = log_lines_;
  counts.probes = stats_.probes_sent.get();
  counts.allocations = stats_.allocations.get();
  counts.mallocs = mallocs_.load();
  counts.frames = stats_.frames_allocated.get();
  counts.system_calls = stats_.system_calls.get();
  counts.enters = stats_.ring_enters.get();
  counts.sqes = stats_.ring_sqes.get();
  counts.wake_ups = stats_.wake_ups.get();
  counts.switches = switches.voluntary + switches.involuntary;
  counts.bytes = stats_.bytes_from_clients.get() + stats_.bytes_to_clients.get();
  counts.bytes_copied = stats_.bytes_copied.get();
  return counts;
}

Address loopback(uint32_t host) {
  Address address;
  address.bytes = sizeof address.v4;
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl((127u << 24) + host);
  return address;
}

}  // namespace breakwater::counts
