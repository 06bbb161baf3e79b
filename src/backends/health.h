// What is known of a pool's servers. One PoolHealth per pool, shared by all cores: atomics only, written by
// whoever learns something, never waited for. Pure: the time comes with each call, in ns of the monotonic
// clock.
//
// A server's state is not stored. It follows from facts that are learnt independently of each other:
//
//   is it there?            a name has fewer addresses than slots, or its address is gone from DNS
//   the operator's word     ready, drain, maintenance; its agent may say the same: the stricter word counts
//   can it be reached?      a connect that failed, or probes, say no; a connect, or probes, say yes
//   what its agent says     up or down, and a percentage of its weight
//   a judgement             failures in a row, or slowness next to its peers: out for a time that doubles
//
// A fact is a fact, but a judgement may be wrong about the cause. So judgements put out no more than a share
// of the pool (Health::ejected_max), and none counts while too little of the pool would be left
// (Health::panic). docs/backends.md explains it to operators, with a drawing.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "backends/addresses.h"
#include "backends/places.h"
#include "backends/probe_failure.h"
#include "config/config.h"

namespace breakwater::backends {

enum class State : uint8_t {
  up,
  slow,         // gets less
  ejected,      // gets nothing new, for a time
  draining,     // gets nothing new; operations that began there go on
  down,         // can't be reached
  maintenance,  // gets nothing at all
  absent,       // a slot of a name that has no address for it
};

// The operator's, or an agent's; the strictest last.
enum class Word : uint8_t { ready, drain, maintenance };

// Why a server was last put out.
enum class Reason : uint8_t { none, connect, probe, agent, failures, slow };

// What one attempt to have a request answered taught of the server.
enum class Outcome : uint8_t {
  good,         // it answered, and Git is well where that could be seen
  answered,     // it answered, but that says nothing of Git: a 401, a page
  unreachable,  // no connection
  broke,        // it closed, reset, was malformed or stayed silent, before or in its answer
  error,        // 5xx
  git_error,    // a 200 inside which Git had died
};

// Requests that are like each other in how long a server thinks before its first byte.
enum class Work : uint8_t { advertise, negotiate, pack, other };
inline constexpr size_t works = 4;

std::string_view name(State state) noexcept;
std::string_view name(Reason reason) noexcept;
std::string_view name(Word word) noexcept;
std::string_view name(Work work) noexcept;

// What DNS says of an address besides.
struct Placing {
  uint64_t key = 0;              // its own, the same on every node
  uint32_t share = whole_share;  // of the configured weight
  bool backup = false;
  bool operator==(const Placing&) const = default;
};

// One server, on cache lines of its own.
class alignas(128) ServerHealth {
 public:
  uint32_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
  uint64_t served() const noexcept { return served_.load(std::memory_order_relaxed); }
  uint64_t ejections() const noexcept { return ejections_.load(std::memory_order_relaxed); }
  // What counts: the operator's word, or the agent's if that is stricter.
  Word word() const noexcept { return std::max(operators_word(), agents_word()); }
  Word operators_word() const noexcept { return word_.load(std::memory_order_relaxed); }
  // Configured, or the operator's: before all that DNS and its agent say.
  uint32_t said_weight() const noexcept { return weight_.load(std::memory_order_relaxed); }
  Word agents_word() const noexcept { return agents_word_.load(std::memory_order_relaxed); }
  uint32_t agents_percent() const noexcept { return agents_percent_.load(std::memory_order_relaxed); }
  // Probes say that it is down, or a connect failed since they said that it is up.
  bool down() const noexcept { return down_.load(std::memory_order_relaxed); }
  bool down_for_agent() const noexcept { return agent_down_.load(std::memory_order_relaxed); }
  // Of the last probe that failed.
  ProbeFailure probe_failure() const noexcept { return probe_failure_.load(std::memory_order_relaxed); }
  Reason reason() const noexcept { return reason_.load(std::memory_order_relaxed); }
  // When it was last put out; 0: never.
  int64_t put_out_ns() const noexcept { return put_out_ns_.load(std::memory_order_relaxed); }
  // Until when a judgement, or a failed connect where nobody probes, keeps it out.
  int64_t out_until_ns() const noexcept { return out_until_ns_.load(std::memory_order_relaxed); }
  // It has an address that requests may be sent to. Seen before what a server's address is read from.
  bool present() const noexcept { return gone_ns_.load(std::memory_order_acquire) == 0; }
  // Average time to first byte, in us; 0: not known.
  uint32_t first_byte_us(Work work) const noexcept {
    return latency_[static_cast<size_t>(work)].us.load(std::memory_order_relaxed);
  }

 private:
  friend class PoolHealth;
  struct Latency {
    std::atomic<uint32_t> us{0};
    std::atomic<uint32_t> samples{0};  // since it was last forgotten
    std::atomic<int64_t> heard_ns{0};
  };

  // What every request writes.
  std::atomic<uint32_t> in_flight_{0};
  std::atomic<uint64_t> served_{0};
  std::array<Latency, works> latency_;

  // What changes with its state.
  alignas(128) std::atomic<int64_t> gone_ns_{0};  // since when it has no address; 0: it has one
  std::atomic<uint64_t> key_{0};
  std::atomic<uint32_t> share_{whole_share};
  std::atomic<bool> backup_{false};
  std::atomic<Word> word_{Word::ready};
  std::atomic<int64_t> word_ns_{0};  // when that, or the agent's word, last changed; 0: never
  std::atomic<uint32_t> weight_{0};  // configured, or the operator's
  std::atomic<bool> down_{false};    // probes say so, or a connect while there are probes
  std::atomic<bool> agent_down_{false};
  std::atomic<Word> agents_word_{Word::ready};
  std::atomic<uint32_t> agents_percent_{100};
  std::atomic<ProbeFailure> probe_failure_{};
  std::atomic<bool> unproven_{false};  // nobody reached it since a connect failed
  std::atomic<int64_t> proving_until_ns_{0};
  std::atomic<bool> fact_{false};  // out_until_ is for a failed connect, not for a judgement
  std::atomic<Reason> reason_{Reason::none};
  std::atomic<int64_t> put_out_ns_{0};
  std::atomic<int64_t> out_until_ns_{0};
  std::atomic<int64_t> out_for_ns_{0};  // how long it was put out the last time
  std::atomic<int64_t> back_ns_{0};     // probes found it up again
  std::atomic<uint32_t> failures_{0};   // of its connections, in a row
  std::atomic<uint32_t> errors_{0};     // 5xx and Git's, in a row
  std::atomic<uint64_t> ejections_{0};
  std::atomic<uint32_t> slowness_{0};  // in 1/256 of its peers' median; 0: not slow
  std::atomic<int64_t> slow_since_ns_{0};
};

class PoolHealth {
 public:
  // Requests of an operation go on that long where it began after that address is gone from DNS.
  static constexpr int64_t leave_ns = 30'000'000'000;

  explicit PoolHealth(const config::Pool& pool);
  PoolHealth(const PoolHealth&) = delete;
  PoolHealth& operator=(const PoolHealth&) = delete;

  uint32_t size() const noexcept { return size_; }
  const config::Pool& config() const noexcept { return config_; }
  const ServerHealth& server(uint32_t index) const noexcept { return servers_[index]; }
  Places& places() noexcept { return places_; }
  const Places& places() const noexcept { return places_; }
  // Grows whenever something changed that a balancer should know of.
  uint32_t version() const noexcept { return version_.load(std::memory_order_acquire); }

  // ---- what is learnt: from any core
  void begin(uint32_t server) noexcept {
    servers_[server].in_flight_.fetch_add(1, std::memory_order_relaxed);
  }
  void end(uint32_t server) noexcept {
    servers_[server].in_flight_.fetch_sub(1, std::memory_order_relaxed);
    servers_[server].served_.fetch_add(1, std::memory_order_relaxed);
  }
  // A connection to it was made, or an answer came from it.
  void reached(uint32_t server, int64_t now_ns) noexcept;
  void report(uint32_t server, Outcome outcome, int64_t now_ns) noexcept;
  // Its first byte took that long; or (`so_far`) did not come for that long.
  void waited(uint32_t server, Work work, int64_t wait_ns, int64_t now_ns) noexcept;
  // A wait longer than this is worth telling before it is over; 0: not known.
  int64_t patience_ns(Work work) const noexcept {
    return patience_ns_[static_cast<size_t>(work)].load(std::memory_order_relaxed);
  }

  // ---- probes and agents: from the one core that asks them
  void probe_says(uint32_t server, bool up, int64_t now_ns) noexcept;
  // Each that failed, also while it is not believed yet.
  void probe_failed(uint32_t server, ProbeFailure failure) noexcept;
  void agent_says(uint32_t server, bool up, int64_t now_ns) noexcept;
  void set_agents_word(uint32_t server, Word word, int64_t now_ns = 0) noexcept;
  void set_agents_percent(uint32_t server, uint32_t percent) noexcept;  // of its weight
  void set_agents_max(uint32_t server, uint32_t operations) noexcept {  // instead of the configured one
    places_.set_limit(server, operations);
  }

  // ---- DNS: from the one thread that looks names up
  // From now on the server has the address that the caller has given it before. `anew`: another one than the
  // last, so nothing that was known holds. At start-up `now_ns` is 0: then nobody rises slowly.
  void arrive(uint32_t server, const Placing& placing, bool anew, int64_t now_ns) noexcept;
  // Its address is gone: it gets nothing new.
  void leave(uint32_t server, int64_t now_ns) noexcept;
  // It has had no address yet.
  void begin_absent(uint32_t server) noexcept;

  // ---- the operator: from the admin thread
  void set_word(uint32_t server, Word word, int64_t now_ns = 0) noexcept;
  void set_weight(uint32_t server, uint32_t weight) noexcept;

  // ---- what follows
  State state(uint32_t server, int64_t now_ns) const noexcept;
  // When it got into this state; 0: with the process.
  int64_t state_since_ns(uint32_t server, int64_t now_ns) const noexcept;
  // Of new operations, next to the other servers': the configured weight times 256, as much of it as its
  // agent says, less while it is slow or has just come back; 0 while it gets none.
  uint32_t weight(uint32_t server, int64_t now_ns) const noexcept;
  uint32_t configured_weight(uint32_t server) const noexcept;
  bool is_backup(uint32_t server) const noexcept;
  // By which repositories choose it.
  uint64_t key(uint32_t server) const noexcept;
  // It is there, and neither a word nor a weight of nothing keeps new operations from it.
  bool takes_new(uint32_t server) const noexcept;
  // How many are there.
  uint32_t present_count() const noexcept { return present_count_.load(std::memory_order_relaxed); }
  // May requests of an operation that began there go on there?
  bool keeps_operations(uint32_t server, int64_t now_ns) const noexcept;
  // Nobody reached it since a connect failed, and somebody is trying.
  bool being_proven(uint32_t server, int64_t now_ns) const noexcept;
  // From whoever is about to send it a request.
  void prove(uint32_t server, int64_t now_ns) noexcept;
  // So little of the pool is left that no judgement counts.
  bool panics(int64_t now_ns) const noexcept;

 private:
  using Median = std::array<int64_t, works>;
  void put_out(uint32_t server, Reason reason, int64_t now_ns) noexcept;
  void set_gone(ServerHealth& server, int64_t since_ns) noexcept;
  void forget(ServerHealth& server, uint32_t weight) noexcept;
  bool may_eject(uint32_t server, int64_t now_ns) const noexcept;
  void judge_if_due(int64_t now_ns) noexcept;
  void judge_slowness(uint32_t server, int64_t now_ns) noexcept;
  bool is_out(const ServerHealth& server, bool fact, int64_t now_ns) const noexcept;
  template <typename Value>
  bool set(std::atomic<Value>& fact, Value value) noexcept;  // false: it was so already
  uint32_t lasting_weight(uint32_t server) const noexcept;
  void came_back(ServerHealth& server, int64_t now_ns) noexcept;
  bool is_absent(const ServerHealth& server, int64_t now_ns) const noexcept;
  int64_t known_us(uint32_t server, size_t work, int64_t now_ns) const noexcept;
  int64_t median_of_peers_us(uint32_t server, size_t work, int64_t now_ns) const noexcept;
  uint32_t slowness_of(uint32_t server, int64_t now_ns) const noexcept;
  void changed() noexcept { version_.fetch_add(1, std::memory_order_release); }

  const config::Pool& config_;
  uint32_t size_;
  std::unique_ptr<ServerHealth[]> servers_;
  Places places_;
  std::atomic<uint32_t> present_count_;
  std::atomic<uint32_t> version_{0};
  std::atomic<int64_t> judged_ns_{0};
  std::array<std::atomic<int64_t>, works> patience_ns_{};
};

}  // namespace breakwater::backends
