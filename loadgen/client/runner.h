// Runner: one CI machine. It has one connection at a time, as a git process has, and more only while it
// downloads LFS objects; copies of what it cloned, a bucket that its receives draw from, and dice of its own,
// so that what it does depends on nothing but the seed.
//
// It does one thing at a time: an operation whose time has come while it is busy waits for its turn, and
// its latency counts from its intended start all the same.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "client/connection.h"
#include "client/git_child.h"
#include "client/local_copies.h"
#include "client/pace.h"
#include "client/pause.h"
#include "client/token_bucket.h"
#include "core/core.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// Seeds of what must not depend on each other.
inline uint64_t mix(uint64_t seed, uint64_t a, uint64_t b = 0) noexcept {
  return Rng(seed ^ Rng(a + 1).next() ^ Rng(~b).next()).next();
}

struct Runner {
  Runner(Core& core, const Site& site, const Scenario& scenario, uint32_t index_) noexcept
      : index(index_),
        dice(mix(scenario.seed, index_)),
        pace(Pace::of(rate_of(scenario.runners, dice))),
        bucket(pace.rate, pace.receive_bytes, core.now_ns()),
        connection(core, site, traffic),
        pause(core) {
    if (pace.rate > 0) connection.set_pace(pace, bucket);
  }

  // Ends whatever it waits for, now and from now on.
  void stop() noexcept {
    connection.stop();
    for (Connection* const each : more_connections) each->stop();
    git.kill();
    pause.end();
  }

  const uint32_t index;
  Rng dice;
  Pace pace;
  TokenBucket bucket;
  Traffic traffic;
  Connection connection;
  std::vector<Connection*> more_connections;  // which an operation has for a while
  GitChild git;                               // of the driver that runs git
  Pause pause;          // before another try, or between two operations of a closed loop
  bool thinks = false;  // the latter
  LocalCopies copies;
  uint64_t pushes = 0;  // that it made, so that no commit is ever made twice
  bool is_busy = false;
  // Those of its operations whose time has come: a queue, linked by their places in the core's schedule.
  uint32_t first_waiting = Arrival::nobody, last_waiting = Arrival::nobody;

  static uint64_t rate_of(const Runners& runners, Rng& dice) noexcept {
    const bool is_slow = dice.next() % 100 < runners.slow_percent;
    return is_slow ? runners.slow_download : runners.download;
  }
};

}  // namespace breakwater::storm
