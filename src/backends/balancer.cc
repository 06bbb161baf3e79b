#include "backends/balancer.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace breakwater::backends {

namespace {
constexpr int64_t refresh_every_ns = 10'000'000;  // shares grow and ejections end without an event
constexpr uint64_t load_bound_percent = 125;
}  // namespace

Balancer::Balancer(PoolHealth& health, uint32_t start, uint64_t seed)
    : health_(health), rng_(seed), seats_(health.size()), loads_(health.size()) {
  for (const config::Server& server : health.config().servers)
    has_primaries_ = has_primaries_ || server.primary;
  seats_[start % seats_.size()].credit = 1;
}

uint32_t Balancer::pick(const Ask& ask, const ServerSet& tried, int64_t now_ns) noexcept {
  now_ns_ = now_ns;
  refresh(now_ns);
  const bool primaries_only = ask.needs_primary && has_primaries_;
  const bool passes_full = !ask.over_max && health_.places().has_limits();
  for (const bool unproven : {false, true}) {
    for (const Standing standing :
         {Standing::in_rotation, Standing::backup, Standing::ejected, Standing::down}) {
      if (standing == Standing::down && (somebody_is_there_ || !ask.may_be_down)) break;
      const Among among{standing, tried, unproven, primaries_only, passes_full};
      const uint32_t server = pick_among(among, ask);
      if (server == no_server) {
        if (passes_full && has_any(among)) return all_full;
        continue;
      }
      health_.prove(server, now_ns);
      return server;
    }
  }
  return no_server;
}

uint32_t Balancer::pick_among(const Among& among, const Ask& ask) noexcept {
  if (among.standing >= Standing::ejected) return by_turns(among);
  switch (health_.config().balance) {
    case config::Balance::round_robin:
      return by_turns(among);
    case config::Balance::least_connections:
      return least_busy(among);
    case config::Balance::fastest:
      return fastest(among, ask.work);
    case config::Balance::repository:
      return ask.repository == 0 ? by_turns(among) : of_repository(among, ask.repository);
  }
  return no_server;
}

void Balancer::refresh(int64_t now_ns) noexcept {
  const uint32_t version = health_.version();
  if (version == version_ && now_ns < refresh_ns_) return;
  version_ = version;
  refresh_ns_ = now_ns + refresh_every_ns;
  somebody_is_there_ = false;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    Seat& seat = seats_[index];
    const uint32_t weight = health_.weight(index, now_ns);
    seat.weight = std::max(weight, 1u);
    seat.standing = standing_of(index, weight, now_ns);
    seat.key = health_.key(index);
    if (seat.standing < Standing::down) somebody_is_there_ = true;
  }
}

Balancer::Standing Balancer::standing_of(uint32_t index, uint32_t weight, int64_t now_ns) const noexcept {
  if (weight > 0) return health_.is_backup(index) ? Standing::backup : Standing::in_rotation;
  if (!health_.takes_new(index)) return Standing::away;
  return health_.state(index, now_ns) == State::down ? Standing::down : Standing::ejected;
}

bool Balancer::fits(uint32_t server, const Among& among) const noexcept {
  const config::Server& configured = health_.config().servers[server];
  if (among.primaries_only && !configured.primary) return false;
  Standing standing = seats_[server].standing;
  // For a read.
  if (!among.primaries_only && configured.primary && standing == Standing::in_rotation)
    standing = Standing::backup;
  if (standing != among.standing || among.tried.has(server)) return false;
  if (among.passes_full && health_.places().is_full(server)) return false;
  return among.unproven || !health_.being_proven(server, now_ns_);
}

// Full ones among them.
bool Balancer::has_any(const Among& among) const noexcept {
  Among all = among;
  all.passes_full = false;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (fits(index, all)) return true;
  }
  return false;
}

// Every server's credit grows by its weight; the richest one pays for all.
uint32_t Balancer::by_turns(const Among& among) noexcept {
  uint32_t best = no_server;
  int64_t total = 0;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (!fits(index, among)) continue;
    Seat& seat = seats_[index];
    seat.credit += seat.weight;
    total += seat.weight;
    if (best == no_server || seat.credit > seats_[best].credit) best = index;
  }
  if (best != no_server) seats_[best].credit -= total;
  return best;
}

// Among equals by turns.
uint32_t Balancer::least_busy(const Among& among) noexcept {
  Among least_of = among;
  double least = std::numeric_limits<double>::infinity();
  for (uint32_t index = 0; index < seats_.size(); index++) {
    loads_[index] =
        (health_.server(index).in_flight() + 1.0) / seats_[index].weight;  // other cores change it
    if (fits(index, among)) least = std::min(least, loads_[index]);
  }
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (loads_[index] > least) least_of.tried.add(index);
  }
  return by_turns(least_of);
}

uint32_t Balancer::draw(const Among& among) noexcept {
  uint64_t total = 0;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (fits(index, among)) total += seats_[index].weight;
  }
  if (total == 0) return no_server;
  uint64_t ticket = rng_.next() % total;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (!fits(index, among)) continue;
    if (ticket < seats_[index].weight) return index;
    ticket -= seats_[index].weight;
  }
  return no_server;
}

uint32_t Balancer::fastest(const Among& among, Work work) noexcept {
  const uint32_t first = draw(among);
  if (first == no_server) return no_server;
  Among rest = among;
  rest.tried.add(first);
  const uint32_t second = draw(rest);
  if (second == no_server) return first;
  const auto cost = [this, work](uint32_t index) {
    const ServerHealth& server = health_.server(index);
    return static_cast<double>(server.first_byte_us(work)) * (server.in_flight() + 1.0);
  };
  return cost(second) < cost(first) ? second : first;
}

// Weighted rendezvous hashing: each server draws an exponentially distributed lot for the repository; the
// smallest lot for its weight wins. A server that comes or goes moves only what it wins or had won.
uint32_t Balancer::of_repository(const Among& among, uint64_t repository) const noexcept {
  uint64_t in_flight = 1;  // with this one
  uint64_t weights = 0;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (!fits(index, among)) continue;
    in_flight += health_.server(index).in_flight();
    weights += seats_[index].weight;
  }
  if (weights == 0) return no_server;  // also if another core leaves a full one before the next look
  uint32_t best = no_server;
  uint32_t best_of_all = no_server;  // were there no bound: other cores may fill the last one meanwhile
  double best_lot = std::numeric_limits<double>::infinity();
  double best_lot_of_all = best_lot;
  for (uint32_t index = 0; index < seats_.size(); index++) {
    if (!fits(index, among)) continue;
    const Seat& seat = seats_[index];
    const uint64_t bound =
        (load_bound_percent * in_flight * seat.weight + 100 * weights - 1) / (100 * weights);
    Rng lots(repository ^ seat.key);
    const double uniform = (static_cast<double>(lots.next() >> 11) + 1) * 0x1p-53;
    const double lot = -std::log(uniform) / seat.weight;
    if (lot < best_lot_of_all) {
      best_lot_of_all = lot;
      best_of_all = index;
    }
    if (lot < best_lot && health_.server(index).in_flight() < bound) {
      best_lot = lot;
      best = index;
    }
  }
  return best != no_server ? best : best_of_all;
}

}  // namespace breakwater::backends
