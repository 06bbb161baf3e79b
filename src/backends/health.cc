#include "backends/health.h"

#include <algorithm>

#include "backends/affinity.h"
#include "backends/server_set.h"
#include "base/assert.h"
#include "config/schema.h"

namespace breakwater::backends {

using config::ns;

namespace {

constexpr int64_t ms = 1'000'000;
constexpr int64_t judge_every_ns = 100 * ms;
constexpr uint32_t samples_min = 5;                 // fewer say nothing
constexpr uint32_t samples_averaged = 8;            // each new one counts for an eighth
constexpr int64_t samples_fresh_ns = 60'000 * ms;   // older ones say nothing
constexpr int64_t slow_before_out_ns = 1'000 * ms;  // it has less weight for that long before it is put out
constexpr int64_t prove_for_ns = 1'000 * ms;        // then another request may find out
constexpr uint32_t out_at_ratio = 2;                // times Health::slow_ratio
constexpr uint32_t share_min = 16;                  // of 256: enough to hear whether it is better

}  // namespace

std::string_view name(State state) noexcept {
  constexpr std::array<std::string_view, 7> names = {"up",   "slow",        "ejected", "draining",
                                                     "down", "maintenance", "absent"};
  return names[static_cast<size_t>(state)];
}

std::string_view name(Reason reason) noexcept {
  constexpr std::array<std::string_view, 6> names = {"",
                                                     "connect failed",
                                                     "probe failed",
                                                     "its agent said so",
                                                     "failures in a row",
                                                     "slower than its peers"};
  return names[static_cast<size_t>(reason)];
}

std::string_view name(Word word) noexcept {
  constexpr std::array<std::string_view, 3> names = {"ready", "drain", "maintenance"};
  return names[static_cast<size_t>(word)];
}

std::string_view name(Work work) noexcept {
  constexpr std::array<std::string_view, works> names = {"advertise", "negotiate", "pack", "other"};
  return names[static_cast<size_t>(work)];
}

PoolHealth::PoolHealth(const config::Pool& pool)
    : config_(pool),
      size_(static_cast<uint32_t>(pool.servers.size())),
      servers_(std::make_unique<ServerHealth[]>(size_)),
      places_(pool.servers),
      present_count_(size_) {
  BW_ASSERT(size_ > 0 && size_ <= servers_max);
  for (uint32_t index = 0; index < size_; index++) {
    const config::Server& server = pool.servers[index];
    servers_[index].weight_.store(server.weight);
    servers_[index].backup_.store(server.backup);
    servers_[index].key_.store(hash(server.address.text(), false));
  }
}

// ---- what is learnt

void PoolHealth::reached(uint32_t index, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  if (!server.unproven_.load(std::memory_order_relaxed)) return;
  server.unproven_.store(false, std::memory_order_relaxed);
  // What put it out is no longer so.
  if (server.fact_.load(std::memory_order_relaxed) && server.out_until_ns() > now_ns)
    server.out_until_ns_.store(now_ns, std::memory_order_relaxed);
  if (server.reason() == Reason::connect && server.down_.exchange(false, std::memory_order_relaxed))
    return came_back(server, now_ns);
  changed();
}

void PoolHealth::report(uint32_t index, Outcome outcome, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  // Not written without need: all cores read this line.
  const auto end_row = [](std::atomic<uint32_t>& row) {
    if (row.load(std::memory_order_relaxed) != 0) row.store(0, std::memory_order_relaxed);
  };
  if (outcome == Outcome::good || outcome == Outcome::answered) {
    end_row(server.failures_);
    if (outcome == Outcome::good) end_row(server.errors_);
    return reached(index, now_ns);
  }
  if (outcome == Outcome::unreachable) {
    server.unproven_.store(true, std::memory_order_relaxed);
    return put_out(index, Reason::connect, now_ns);
  }
  std::atomic<uint32_t>& row = outcome == Outcome::broke ? server.failures_ : server.errors_;
  const uint32_t failures = row.fetch_add(1, std::memory_order_relaxed) + 1;
  if (config_.health.errors != 0 && failures >= config_.health.errors)
    put_out(index, Reason::failures, now_ns);
}

void PoolHealth::waited(uint32_t index, Work work, int64_t wait_ns, int64_t now_ns) noexcept {
  ServerHealth::Latency& latency = servers_[index].latency_[static_cast<size_t>(work)];
  const int64_t us = std::clamp<int64_t>(wait_ns / 1000, 1, UINT32_MAX);
  const uint32_t samples = latency.samples.load(std::memory_order_relaxed);
  const int64_t average = latency.us.load(std::memory_order_relaxed);
  // Two cores may overwrite each other's sample; the next one mends it.
  const int64_t next = average + (us - average) / std::min<int64_t>(samples + 1, samples_averaged);
  latency.us.store(static_cast<uint32_t>(std::max<int64_t>(next, 1)), std::memory_order_relaxed);
  latency.heard_ns.store(now_ns, std::memory_order_relaxed);
  if (samples < samples_averaged) latency.samples.store(samples + 1, std::memory_order_relaxed);
  judge_if_due(now_ns);
}

void PoolHealth::probe_says(uint32_t index, bool up, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  if (!up) return put_out(index, Reason::probe, now_ns);
  if (!server.down_.exchange(false, std::memory_order_relaxed)) return;
  server.unproven_.store(false, std::memory_order_relaxed);
  came_back(server, now_ns);
}

void PoolHealth::probe_failed(uint32_t index, ProbeFailure failure) noexcept {
  servers_[index].probe_failure_.store(failure, std::memory_order_relaxed);
}

void PoolHealth::agent_says(uint32_t index, bool up, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  if (!up) return put_out(index, Reason::agent, now_ns);
  if (server.agent_down_.exchange(false, std::memory_order_relaxed)) came_back(server, now_ns);
}

void PoolHealth::came_back(ServerHealth& server, int64_t now_ns) noexcept {
  server.back_ns_.store(now_ns, std::memory_order_relaxed);
  changed();
}

template <typename Value>
bool PoolHealth::set(std::atomic<Value>& fact, Value value) noexcept {
  if (fact.exchange(value, std::memory_order_relaxed) == value) return false;
  changed();
  return true;
}

void PoolHealth::set_agents_word(uint32_t index, Word word, int64_t now_ns) noexcept {
  if (set(servers_[index].agents_word_, word))
    servers_[index].word_ns_.store(now_ns, std::memory_order_relaxed);
}

void PoolHealth::set_agents_percent(uint32_t index, uint32_t percent) noexcept {
  set(servers_[index].agents_percent_, percent);
}

// ---- DNS

void PoolHealth::arrive(uint32_t index, const Placing& placing, bool anew, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  const config::Server& configured = config_.servers[index];
  if (anew) {
    forget(server, configured.weight);
    places_.set_limit(index, configured.max);
  }
  server.key_.store(placing.key, std::memory_order_relaxed);
  server.share_.store(placing.share, std::memory_order_relaxed);
  server.backup_.store(configured.backup || placing.backup, std::memory_order_relaxed);
  // It rises to its whole weight like one that was down.
  if (anew || !server.present()) server.back_ns_.store(now_ns, std::memory_order_relaxed);
  set_gone(server, 0);
}

void PoolHealth::leave(uint32_t index, int64_t now_ns) noexcept {
  set_gone(servers_[index], now_ns);
}

void PoolHealth::begin_absent(uint32_t index) noexcept {
  set_gone(servers_[index], -leave_ns);  // at whatever time, long ago
}

void PoolHealth::set_gone(ServerHealth& server, int64_t since_ns) noexcept {
  const bool was_there = server.present();
  server.gone_ns_.store(since_ns, std::memory_order_release);
  const bool is_there = server.present();
  if (is_there && !was_there) present_count_.fetch_add(1, std::memory_order_relaxed);
  if (was_there && !is_there) present_count_.fetch_sub(1, std::memory_order_relaxed);
  changed();
}

void PoolHealth::forget(ServerHealth& server, uint32_t weight) noexcept {
  server.word_.store(Word::ready, std::memory_order_relaxed);
  server.weight_.store(weight, std::memory_order_relaxed);
  server.down_.store(false, std::memory_order_relaxed);
  server.unproven_.store(false, std::memory_order_relaxed);
  server.agent_down_.store(false, std::memory_order_relaxed);
  server.agents_word_.store(Word::ready, std::memory_order_relaxed);
  server.agents_percent_.store(100, std::memory_order_relaxed);
  server.probe_failure_.store({}, std::memory_order_relaxed);
  server.reason_.store(Reason::none, std::memory_order_relaxed);
  server.failures_.store(0, std::memory_order_relaxed);
  server.errors_.store(0, std::memory_order_relaxed);
  server.slowness_.store(0, std::memory_order_relaxed);
  for (std::atomic<int64_t>* const time :
       {&server.put_out_ns_, &server.out_until_ns_, &server.out_for_ns_, &server.back_ns_, &server.word_ns_})
    time->store(0, std::memory_order_relaxed);
  for (ServerHealth::Latency& latency : server.latency_) {
    latency.us.store(0, std::memory_order_relaxed);
    latency.samples.store(0, std::memory_order_relaxed);
  }
}

void PoolHealth::set_word(uint32_t index, Word word, int64_t now_ns) noexcept {
  if (set(servers_[index].word_, word)) servers_[index].word_ns_.store(now_ns, std::memory_order_relaxed);
}

void PoolHealth::set_weight(uint32_t index, uint32_t weight) noexcept {
  set(servers_[index].weight_, weight);
}

void PoolHealth::put_out(uint32_t index, Reason reason, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  const bool fact = reason == Reason::connect || reason == Reason::probe;
  const bool probed = config_.probe.type != config::Probe::Type::off;
  if (reason == Reason::agent) {
    if (server.agent_down_.exchange(true, std::memory_order_relaxed)) return;
  } else if (fact && probed) {
    if (server.down_.exchange(true, std::memory_order_relaxed)) return;
  } else {
    const int64_t until = server.out_until_ns_.load(std::memory_order_relaxed);
    if (until > now_ns || (!fact && !may_eject(index, now_ns))) return;
    const int64_t last = server.out_for_ns_.load(std::memory_order_relaxed);
    const bool soon_again = last != 0 && now_ns - until < 2 * last;
    const int64_t time =
        soon_again ? std::min(2 * last, ns(config_.health.eject_time_max)) : ns(config_.health.eject_time);
    server.fact_.store(fact, std::memory_order_relaxed);
    server.out_for_ns_.store(time, std::memory_order_relaxed);
    server.out_until_ns_.store(now_ns + time, std::memory_order_relaxed);
  }
  server.reason_.store(reason, std::memory_order_relaxed);
  server.put_out_ns_.store(now_ns, std::memory_order_relaxed);
  server.ejections_.fetch_add(1, std::memory_order_relaxed);
  server.failures_.store(0, std::memory_order_relaxed);
  server.errors_.store(0, std::memory_order_relaxed);
  server.proving_until_ns_.store(0, std::memory_order_relaxed);
  server.slowness_.store(0, std::memory_order_relaxed);
  // It is to be judged by what it does when it is back.
  for (ServerHealth::Latency& latency : server.latency_) latency.samples.store(0, std::memory_order_relaxed);
  changed();
}

// ---- judgements

// Two cores that put out two servers in the same instant may exceed the share by one; the panic threshold
// holds in any case.
bool PoolHealth::may_eject(uint32_t index, int64_t now_ns) const noexcept {
  uint32_t out = 1;  // it
  uint32_t left = 0;
  for (uint32_t other = 0; other < size_; other++) {
    if (other == index) continue;
    const ServerHealth& server = servers_[other];
    if (server.present() && is_out(server, false, now_ns)) out++;
    if (takes_new(other) && !is_out(server, false, now_ns) && !is_out(server, true, now_ns)) left++;
  }
  const uint32_t share = config_.health.ejected_max;
  return left > 0 && share > 0 && out <= std::max(present_count() * share / 100, 1u);
}

void PoolHealth::judge_if_due(int64_t now_ns) noexcept {
  // Where a repository has its server, a server that is slow may only have a repository that is.
  if (size_ < 2 || config_.health.slow_ratio == 0 || config_.balance == config::Balance::repository) return;
  int64_t judged = judged_ns_.load(std::memory_order_relaxed);
  if (now_ns - judged < judge_every_ns) return;
  if (!judged_ns_.compare_exchange_strong(judged, now_ns, std::memory_order_relaxed)) return;
  for (size_t work = 0; work < works; work++) {
    const int64_t median = median_of_peers_us(size_, work, now_ns);
    const int64_t patience =
        median < 0 ? 0
                   : median * 1000 * config_.health.slow_ratio * out_at_ratio + ns(config_.health.slow_min);
    patience_ns_[work].store(patience, std::memory_order_relaxed);
  }
  for (uint32_t index = 0; index < size_; index++) judge_slowness(index, now_ns);
}

void PoolHealth::judge_slowness(uint32_t index, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  if (is_out(server, true, now_ns) || is_out(server, false, now_ns)) return;
  const uint32_t slowness = slowness_of(index, now_ns);
  const uint32_t before = server.slowness_.load(std::memory_order_relaxed);
  const uint32_t limit = whole_share * config_.health.slow_ratio;
  const bool slow = slowness >= (before == 0 ? limit : limit / 2);
  server.slowness_.store(slow ? slowness : 0, std::memory_order_relaxed);
  if (slow == (before == 0)) {
    server.slow_since_ns_.store(now_ns, std::memory_order_relaxed);
    changed();
  }
  const bool has_been_slow =
      now_ns - server.slow_since_ns_.load(std::memory_order_relaxed) >= slow_before_out_ns;
  if (slow && has_been_slow && slowness >= out_at_ratio * limit) put_out(index, Reason::slow, now_ns);
}

// In 1/256 of its peers' median, for the class of work where it is worst. Web pages and the like differ too
// much among each other to say anything.
uint32_t PoolHealth::slowness_of(uint32_t index, int64_t now_ns) const noexcept {
  int64_t worst = 0;
  for (const Work work : {Work::advertise, Work::negotiate, Work::pack}) {
    const int64_t own = known_us(index, static_cast<size_t>(work), now_ns);
    const int64_t median = median_of_peers_us(index, static_cast<size_t>(work), now_ns);
    if (own < 0 || median < 0 || (own - median) * 1000 < ns(config_.health.slow_min)) continue;
    worst = std::max(worst, own * whole_share / std::max<int64_t>(median, 1));
  }
  return static_cast<uint32_t>(std::min<int64_t>(worst, UINT32_MAX));
}

// The average of a server that was heard of often and lately enough; else -1.
int64_t PoolHealth::known_us(uint32_t index, size_t work, int64_t now_ns) const noexcept {
  const ServerHealth::Latency& latency = servers_[index].latency_[work];
  if (latency.samples.load(std::memory_order_relaxed) < samples_min) return -1;
  if (now_ns - latency.heard_ns.load(std::memory_order_relaxed) > samples_fresh_ns) return -1;
  return latency.us.load(std::memory_order_relaxed);
}

// Of all servers in rotation but `index`; of an even number the higher one. -1 if nothing is known.
int64_t PoolHealth::median_of_peers_us(uint32_t index, size_t work, int64_t now_ns) const noexcept {
  std::array<int64_t, servers_max> known;
  size_t count = 0;
  for (uint32_t other = 0; other < size_; other++) {
    const ServerHealth& server = servers_[other];
    if (other == index || !server.present()) continue;
    if (is_out(server, true, now_ns) || is_out(server, false, now_ns)) continue;
    const int64_t us = known_us(other, work, now_ns);
    if (us >= 0) known[count++] = us;
  }
  if (count == 0) return -1;
  std::nth_element(known.begin(), known.begin() + count / 2, known.begin() + count);
  return known[count / 2];
}

// ---- what follows

// Out for a fact, or out by a judgement.
bool PoolHealth::is_out(const ServerHealth& server, bool fact, int64_t now_ns) const noexcept {
  if (fact && (server.down() || server.down_for_agent())) return true;
  return server.out_until_ns() > now_ns && server.fact_.load(std::memory_order_relaxed) == fact;
}

bool PoolHealth::is_absent(const ServerHealth& server, int64_t now_ns) const noexcept {
  const int64_t gone = server.gone_ns_.load(std::memory_order_acquire);
  return gone != 0 && now_ns - gone >= leave_ns;
}

State PoolHealth::state(uint32_t index, int64_t now_ns) const noexcept {
  const ServerHealth& server = servers_[index];
  if (is_absent(server, now_ns)) return State::absent;
  if (server.word() == Word::maintenance) return State::maintenance;
  if (is_out(server, true, now_ns)) return State::down;
  if (server.word() == Word::drain || !server.present()) return State::draining;
  if (is_out(server, false, now_ns)) return State::ejected;
  return server.slowness_.load(std::memory_order_relaxed) != 0 ? State::slow : State::up;
}

int64_t PoolHealth::state_since_ns(uint32_t index, int64_t now_ns) const noexcept {
  const ServerHealth& server = servers_[index];
  const int64_t said = server.word_ns_.load(std::memory_order_relaxed);
  const int64_t slow = server.slow_since_ns_.load(std::memory_order_relaxed);  // or since it is no more
  switch (state(index, now_ns)) {
    case State::absent:
      return server.gone_ns_.load(std::memory_order_relaxed);
    case State::maintenance:
      return said;
    case State::draining:
      return server.present() ? said : std::max(said, server.gone_ns_.load(std::memory_order_relaxed));
    case State::down:
    case State::ejected:
      return server.put_out_ns();
    case State::slow:
      return slow;
    case State::up:
      break;
  }
  const int64_t back = server.back_ns_.load(std::memory_order_relaxed);
  return std::max({said, slow, back, server.out_until_ns()});
}

uint32_t PoolHealth::configured_weight(uint32_t index) const noexcept {
  const ServerHealth& server = servers_[index];
  const uint32_t weight = server.weight_.load(std::memory_order_relaxed);
  const uint32_t part = weight * server.share_.load(std::memory_order_relaxed) / whole_share;
  return weight == 0 ? 0 : std::max(part, 1u);
}

bool PoolHealth::is_backup(uint32_t index) const noexcept {
  return servers_[index].backup_.load(std::memory_order_relaxed);
}

uint64_t PoolHealth::key(uint32_t index) const noexcept {
  return servers_[index].key_.load(std::memory_order_relaxed);
}

bool PoolHealth::takes_new(uint32_t index) const noexcept {
  const ServerHealth& server = servers_[index];
  return server.present() && server.word() == Word::ready && configured_weight(index) != 0 &&
         server.agents_percent() != 0;
}

// Before anything that passes: times 256, and its agent may make it larger than was configured, but not
// larger than could be.
uint32_t PoolHealth::lasting_weight(uint32_t index) const noexcept {
  const uint64_t configured = configured_weight(index);
  const uint64_t wanted = configured * whole_share * servers_[index].agents_percent() / 100;
  return static_cast<uint32_t>(
      std::min(wanted, std::max<uint64_t>(configured, config::weight_max) * whole_share));
}

uint32_t PoolHealth::weight(uint32_t index, int64_t now_ns) const noexcept {
  const ServerHealth& server = servers_[index];
  if (!takes_new(index) || is_out(server, true, now_ns)) return 0;
  const uint32_t lasting = lasting_weight(index);
  if (panics(now_ns)) return lasting;
  if (is_out(server, false, now_ns)) return 0;
  uint64_t share = whole_share;
  const uint32_t slowness = server.slowness_.load(std::memory_order_relaxed);
  if (slowness != 0)
    share = std::max<uint64_t>(whole_share * whole_share / std::max(slowness, whole_share), share_min);
  const int64_t back = std::max(server.out_until_ns(), server.back_ns_.load(std::memory_order_relaxed));
  const int64_t ramp = ns(config_.health.slow_start);
  const int64_t since = std::max<int64_t>(now_ns - back, 0);  // another core's clock may be a turn ahead
  if (back != 0 && since < ramp) {
    const int64_t risen = whole_share * since / ramp;
    share = share * static_cast<uint64_t>(std::max<int64_t>(risen, share_min)) / whole_share;
  }
  return std::max<uint32_t>(static_cast<uint32_t>(lasting * share / whole_share), 1);
}

bool PoolHealth::keeps_operations(uint32_t index, int64_t now_ns) const noexcept {
  const ServerHealth& server = servers_[index];
  return server.word() != Word::maintenance && !is_out(server, true, now_ns) && !is_absent(server, now_ns);
}

bool PoolHealth::being_proven(uint32_t index, int64_t now_ns) const noexcept {
  const ServerHealth& server = servers_[index];
  return server.unproven_.load(std::memory_order_relaxed) &&
         server.proving_until_ns_.load(std::memory_order_relaxed) > now_ns;
}

void PoolHealth::prove(uint32_t index, int64_t now_ns) noexcept {
  ServerHealth& server = servers_[index];
  if (server.unproven_.load(std::memory_order_relaxed))
    server.proving_until_ns_.store(now_ns + prove_for_ns, std::memory_order_relaxed);
}

bool PoolHealth::panics(int64_t now_ns) const noexcept {
  uint32_t in = 0;
  uint32_t all = 0;  // that the operator lets in
  for (uint32_t index = 0; index < size_; index++) {
    if (!takes_new(index)) continue;
    const ServerHealth& server = servers_[index];
    all++;
    if (!is_out(server, true, now_ns) && !is_out(server, false, now_ns)) in++;
  }
  return in * 100 < all * config_.health.panic;
}

}  // namespace breakwater::backends
