// Job: one operation of one runner while it is performed: what it is to do, and the Outcome that it fills in.
// The operations (operations.h) are coroutines over it; they know of time only what their core tells them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "client/pack_inspector.h"
#include "client/pushes.h"
#include "client/runner.h"
#include "client/site.h"
#include "core/core.h"
#include "git/fault.h"
#include "measure/outcome.h"
#include "plan/scenario.h"

namespace breakwater::storm {

class GitDriver;

// What all cores of a storm read, made before the first one runs.
struct StormPlan {
  const Scenario& scenario;
  std::span<const Arrival> arrivals;  // of a closed loop there are none
  const Site& site;
  PackInspector* inspector = nullptr;  // null: no pack is given to git
  const GitDriver* git = nullptr;      // null: requests of our own
  int64_t start_ns = 0;                // monotonic
};

// What a core has learnt of a repository, for operations that must name an object to begin with.
struct KnownObjects {
  static constexpr size_t blobs_max = 1024;
  ObjectId tip;                 // of HEAD, as it was seen last; zero: not yet
  std::vector<ObjectId> blobs;  // of trees at the beginning of the first blobless pack
  uint64_t pack_bytes = 0;      // of the last whole clone
};

struct Job {
  Core& core;
  const StormPlan& plan;
  Runner& runner;
  const Operation& operation;
  const Arrival& arrival;
  KnownObjects& known;
  const Pushes::Place* follows = nullptr;  // the push whose commit is fetched
  Rng dice;                                // of this operation alone
  Outcome outcome{};
  ObjectId pushed{};                 // push: the commit that the server has taken
  std::unique_ptr<KeptPack> kept{};  // a pack for git to look at
  int64_t try_began_ns = 0;
  std::string words{};  // of its failure: what happened, or what the server said

  const std::string& repository() const { return plan.scenario.target.repositories[arrival.repository]; }
  bool throws(uint32_t per_mille) noexcept { return dice.next() % 1000 < per_mille; }

  // When a phase was reached first, in this try; or last. Monotonic; less than 0: it was not.
  void mark(Phase phase, int64_t at_ns) noexcept {
    if (outcome.phase_ns[static_cast<size_t>(phase)] < 0) mark_last(phase, at_ns);
  }
  void mark_last(Phase phase, int64_t at_ns) noexcept {
    int64_t& last_ns = outcome.phase_ns[static_cast<size_t>(phase)];
    if (at_ns >= 0) last_ns = std::max(last_ns, at_ns - try_began_ns);
  }
  // What failed, in words for a report.
  Failure fail(Failure failure, std::string_view why) {
    words = why;
    return failure;
  }
  void mark_now(Phase phase) noexcept { mark(phase, core.now_ns()); }
};

inline Failure failure_of(GitFault fault) noexcept {
  switch (fault) {
    case GitFault::none:
      return Failure::none;
    case GitFault::error:
      return Failure::error;
    case GitFault::sideband:
      return Failure::sideband;
    case GitFault::refused:
    case GitFault::not_git:
      return Failure::git;
    case GitFault::truncated:
      return Failure::truncated;
    case GitFault::corrupt:
      return Failure::corrupt;
  }
  return Failure::git;
}

}  // namespace breakwater::storm
