// Kernel: the simulated machine that the real proxy runs on. Clock, TCP over a small network, pipes, eventfds
// and descriptors, for one run of one seed. Everything happens in one thread, and in an order that the seed
// decides.
//
// Both sides use it: the proxy through the twins of ring.h and sys.h (ring_sim.cc, sys_sim.cc), simulated
// clients and servers through Peer (peer.h). What it does is meant to be what Linux does wherever the proxy
// can tell; behaviour_test.cc runs the same script on both and docs/testing.md lists what is modelled.
#pragma once

#include <array>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/rng.h"
#include "ring/address.h"
#include "ring/op.h"
#include "sim/faults.h"

namespace breakwater::sim {

// One direction of a connection: bytes that were sent, of which the first `arrived` can be read.
struct Stream {
  std::string bytes;
  size_t read_at = 0;  // everything before it is gone
  size_t arrived = 0;  // readable bytes
  uint64_t ever_arrived = 0;
  size_t capacity = 65536;
  bool end_sent = false, end_arrived = false;
  bool cut = false;             // a reset dropped what was on its way, the end too
  int64_t last_arrival_ns = 0;  // the network keeps the order
  size_t held() const noexcept { return bytes.size() - read_at; }
};

// One end of a connection. The other end is `peer`; both are kept until both are closed.
struct End {
  Stream in;  // what this end reads
  End* peer = nullptr;
  uint64_t connection = 0;
  int fd = -1;          // if it belongs to the proxy
  bool closed = false;  // by its owner
  bool shut_write = false;
  bool reset = false;    // a reset arrived, or was sent
  bool aborted = false;  // by its owner
  bool of_client = false;
  uint32_t heads = 0;     // that its owner has read, if it is simulated
  int pending_error = 0;  // reported once, then sends get EPIPE and receives the end
  bool reset_on_close = false;
  size_t low_water = 1;                            // what must have arrived before its owner hears of it
  std::array<std::coroutine_handle<>, 2> waiters;  // of a simulated peer: who reads, who sends
  std::array<int64_t, 2> deadlines_ns{};           // until when they wait
  std::array<int64_t, 2> alarms_ns{};              // the next event that looks at that; 0: none
  Address local, remote;

  size_t room() const noexcept {  // for what this end sends
    const Stream& out = peer->in;
    return out.held() < out.capacity ? out.capacity - out.held() : 0;
  }
};

struct PipeState {
  std::string bytes;
  std::deque<size_t>
      pieces;  // of each splice, at most a page; there is one place for each page of the capacity
  size_t capacity = 0;
  bool read_closed = false, write_closed = false;
};

class RingState;  // ring_sim.cc

struct Listening {
  Address address;
  std::deque<End*> waiting;  // connections that nobody accepted yet
};

struct Descriptor {
  enum class Kind : uint8_t { none, socket, listener, connection, pipe_read, pipe_write, event };
  Kind kind = Kind::none;
  End* end = nullptr;
  std::shared_ptr<PipeState> pipe;
  std::shared_ptr<Listening> listening;
  uint64_t event_count = 0;
  std::vector<std::pair<RingState*, uint64_t>> armed;  // operations that wait for this descriptor
  bool reset_on_close = false;                         // asked for before it was connected
};

// What a simulated server hears connections on.
struct PeerListener {
  Address address;
  bool open = true;
  bool silent = false;  // connections to it are never answered
  std::function<void(End*)> on_connection;
};

class Kernel {
 public:
  Kernel(uint64_t seed, const Faults& faults);
  ~Kernel();
  Kernel(const Kernel&) = delete;
  Kernel& operator=(const Kernel&) = delete;
  static Kernel& current() noexcept;

  // ---- chance
  Rng& rng() noexcept { return rng_; }
  uint64_t below(uint64_t bound) noexcept { return bound == 0 ? 0 : rng_.next() % bound; }
  // True with a chance of `per_mille`; counts what was thrown.
  bool strikes(Fault fault) noexcept;
  const Faults& faults() const noexcept { return faults_; }
  // From now on only what was thrown already has effects: the end of a run must be calm.
  void calm() noexcept { faults_ = Faults{}; }
  void throw_again(const Faults& faults) noexcept { faults_ = faults; }

  // ---- time
  int64_t now_ns() const noexcept { return now_ns_; }
  void pass(int64_t ns) noexcept { now_ns_ += ns; }
  void at(int64_t when_ns, std::function<void()> what);
  void soon(std::coroutine_handle<> who);
  int64_t next_event_ns() const noexcept { return events_.empty() ? -1 : events_.top().when_ns; }
  void run_events();  // everything that is due
  void jump_to(int64_t when_ns) noexcept { now_ns_ = std::max(now_ns_, when_ns); }

  // ---- the network
  int64_t latency() noexcept;
  std::shared_ptr<PeerListener> listen(const Address& address, std::function<void(End*)> on_connection);
  // From a simulated client to the proxy's listeners at `to`; null: refused.
  End* connect_to_proxy(const Address& to, const Address& from);
  int listen_as_proxy(Address& address);
  int64_t receive(End& end, void* data, size_t bytes);  // bytes, 0 at the end, -EAGAIN, -ECONNRESET
  int64_t send(End& end, const void* data, size_t bytes);
  // Without a way to travel: `bytes` can be read by the other end from now on. False, and nothing done,
  // unless nothing is on its way between the two, nor about to be sent by the proxy.
  bool send_at_rest(End& end, std::string_view bytes);
  // As soon as bytes of any client have reached the proxy.
  void at_next_arrival(std::function<void()> what) { at_next_arrival_ = std::move(what); }
  void shutdown_write(End& end);
  void abort(End& end);
  void close(End& end);
  short poll_mask(const End& end) const noexcept;
  void send_reset(End& from);  // the other end hears of it after a while

  // ---- descriptors of the proxy
  int open(Descriptor::Kind kind) noexcept;  // the lowest free one, or -EMFILE
  Descriptor* find(int fd) noexcept;
  Descriptor& must(int fd, const char* what);
  void close_fd(int fd);
  size_t open_descriptors() const noexcept;
  void describe_open(std::string& out) const;
  void changed(int fd);  // readiness may have: looks at what is armed
  void changed(End& end);
  void wake(End& end);  // whoever waits for it, of the simulated peers
  void connect(int fd, const Address& to, RingState& ring, uint64_t id);

  // ---- the trace
  bool tracing = false;
  std::function<std::string()> describe_cores;  // what they wait for, for a verdict
  template <typename... Parts>
  void trace(const char* who, const Parts&... parts) {
    if (!tracing) return;
    std::string line;
    (append(line, parts), ...);
    write_trace(who, line);
  }
  void cover(const char* what) { covered_[what]++; }  // `what` is a literal
  const std::map<std::string_view, uint64_t>& covered() const noexcept { return covered_; }
  const std::array<uint64_t, fault_kinds>& thrown() const noexcept { return thrown_; }

 private:
  struct Event {  // small, because a heap moves them about
    int64_t when_ns;
    uint64_t number;
    uint32_t slot;
    bool operator<(const Event& other) const noexcept {
      return when_ns != other.when_ns ? when_ns > other.when_ns : number > other.number;
    }
  };
  static void append(std::string& line, std::string_view text) { line += text; }
  static void append(std::string& line, const char* text) { line += text; }
  template <typename Number>
  static void append(std::string& line, const Number& number)
    requires std::is_arithmetic_v<Number>
  {
    line += std::to_string(number);
  }
  void write_trace(const char* who, const std::string& line) const;
  std::pair<End*, End*> make_connection();
  void arrive(End& to, size_t bytes);
  void arrive_reset(End& to);
  int64_t arrival_ns(Stream& stream) noexcept;

  Rng rng_;
  Faults faults_;
  int64_t now_ns_ = 1'000'000'000'000;
  uint64_t event_number_ = 0;
  uint64_t connection_number_ = 0;
  std::priority_queue<Event> events_;
  std::vector<std::function<void()>> slots_;
  std::vector<uint32_t> free_slots_;
  std::deque<Descriptor> descriptors_;
  std::deque<std::unique_ptr<End>> ends_;
  std::vector<std::shared_ptr<PeerListener>> servers_;
  std::vector<std::pair<int, std::shared_ptr<Listening>>> proxy_listeners_;
  std::function<void()> at_next_arrival_;
  std::map<std::string_view, uint64_t> covered_;
  std::array<uint64_t, fault_kinds> thrown_{};
};

}  // namespace breakwater::sim
