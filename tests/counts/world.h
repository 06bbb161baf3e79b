// One core of the proxy on the real kernel, on a thread of its own, between a server and clients that speak
// raw bytes over loopback. What the core counts can be read at any time.
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/config.h"
#include "core/core.h"
#include "proxy/worker.h"
#include "ring/address.h"

namespace breakwater::counts {

// A blocking connection that closes itself.
class Peer {
 public:
  explicit Peer(int fd) noexcept : fd_(fd) {}
  Peer(const Address& from, const Address& to);  // connects
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer();

  bool send(std::string_view bytes) noexcept;
  // A head with its body (a length, chunked or none). False at the end of the connection.
  bool read_message();
  void shut_down() noexcept;

 private:
  int fd_;
};

// Answers every request with the same bytes.
class Server {
 public:
  explicit Server(std::string answer);
  ~Server();
  const Address& address() const noexcept { return address_; }

 private:
  void accept_all();
  void serve(Peer& peer);

  std::string answer_;
  Address address_;
  int listener_;
  std::mutex guard_;
  std::list<Peer> peers_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

// What the core's thread did since it began.
struct Counts {
  uint64_t requests = 0, log_lines = 0, probes = 0;
  uint64_t allocations = 0, mallocs = 0, frames = 0;
  uint64_t system_calls = 0, enters = 0, sqes = 0, wake_ups = 0, switches = 0;
  uint64_t bytes = 0, bytes_copied = 0;  // of bodies
};
Counts operator-(const Counts& later, const Counts& earlier);

class Proxy {
 public:
  explicit Proxy(const Address& server, const config::Probe& probe = {});
  ~Proxy();
  const Address& address() const noexcept { return address_; }
  Counts counts();  // one thread at a time

 private:
  config::Config config_;
  std::vector<proxy::Site> sites_;
  std::deque<proxy::SharedPool> pools_;
  Address address_;
  Stats stats_;
  LogRing log_;
  Mailbox mailbox_;
  uint64_t log_lines_ = 0;
  std::atomic<uint64_t> mallocs_{0};  // the core's thread publishes it with each line of the log
  std::atomic<int> thread_id_{0};
  std::thread thread_;
};

// A client's address: a whole network is the loopback's. `host`: the last three bytes.
Address loopback(uint32_t host = 1);

}  // namespace breakwater::counts
