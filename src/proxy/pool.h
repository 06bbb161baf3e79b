// A pool of servers: what all cores share of it, and what each core has of its own.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "backends/admission.h"
#include "backends/affinity.h"
#include "backends/balancer.h"
#include "backends/health.h"
#include "backends/retry_budget.h"
#include "backends/waits.h"
#include "config/config.h"
#include "core/core.h"
#include "proxy/queue.h"
#include "proxy/upstream.h"

namespace breakwater::proxy {

// Made once at start-up. Of it only atomics are written then: its health and its table of operations by any
// core, where its servers lead by the thread that looks names up. `the_config` has one server for each slot.
struct SharedPool {
  SharedPool(const config::Pool& the_config, std::deque<Server> the_servers)
      : config(the_config),
        servers(std::move(the_servers)),
        health(the_config),
        admission(the_config.admission) {}
  bool has_limits() const noexcept { return admission.has_limits() || health.places().has_limits(); }
  const config::Pool& config;
  std::deque<Server> servers;  // they do not move
  backends::PoolHealth health;
  backends::AffinityTable operations;
  backends::Admission admission;
  backends::Waits waits;         // for its limits
  std::unique_ptr<PoolTls> tls;  // null: in the clear
};

struct PoolOnCore {
  PoolOnCore(Core& core, const config::Limits& limits, SharedPool& the_shared, uint64_t seed)
      : shared(the_shared),
        queue(core, shared.admission, shared.health.places(), shared.config.admission),
        balancer(shared.health, core.index(), seed),
        budget(shared.config.retries) {
    for (const Server& server : shared.servers)
      connections.emplace_back(core, shared.config.timeouts, limits.servers_idle, server, shared.tls.get());
  }
  SharedPool& shared;
  Queue queue;
  backends::Balancer balancer;
  backends::RetryBudget budget;
  std::deque<UpstreamPool> connections;  // by server index; a deque, because they do not move
};

}  // namespace breakwater::proxy
