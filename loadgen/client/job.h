// Job: one operation of one runner while it is performed: what it is to do, and the Outcome that it fills in.
// The operations (operations.h) are coroutines over it; they know of time only what their core tells them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "client/connection.h"
#include "client/pack_inspector.h"
#include "client/pushes.h"
#include "client/runner.h"
#include "client/site.h"
#include "core/core.h"
#include "measure/outcome.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// What all cores of a storm read, made before the first one runs.
struct StormPlan {
  const Scenario& scenario;
  std::span<const Arrival> arrivals;
  const Site& site;
  PackInspector* inspector = nullptr;  // null: no pack is looked at by git
  int64_t start_ns = 0;                // monotonic
};

// What a core has learnt of a repository, for operations that must name an object to begin with.
struct KnownObjects {
  ObjectId tip;  // of HEAD, as it was first seen; zero: not yet
};

struct Job {
  Core& core;
  const StormPlan& plan;
  Runner& runner;
  const Operation& operation;
  const Arrival& arrival;
  uint32_t arrival_index;
  KnownObjects& known;
  const Pushes::Place* follows = nullptr;  // the push whose commit is fetched
  Outcome outcome;
  ObjectId pushed;                   // push: the commit that the server has taken
  std::unique_ptr<KeptPack> kept;    // a pack for git to look at
  const std::string& repository() const { return plan.scenario.target.repositories[arrival.repository]; }

  // When a phase was reached first, in this try.
  void mark(Phase phase, int64_t at_ns) noexcept {
    int64_t& place = outcome.phase_ns[static_cast<size_t>(phase)];
    if (place < 0 && at_ns > 0) place = at_ns - outcome.started_ns;
  }
  void mark_again(Phase phase, int64_t at_ns) noexcept {
    if (at_ns > 0) outcome.phase_ns[static_cast<size_t>(phase)] = at_ns - outcome.started_ns;
  }
};

}  // namespace breakwater::storm
