// Worker: what the proxy has on one core besides the Core itself: its sessions, its server pools, its request
// ids.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "backends/balancer.h"
#include "base/rng.h"
#include "config/config.h"
#include "core/core.h"
#include "coro/scope.h"
#include "proxy/trust.h"
#include "proxy/upstream.h"

namespace breakwater::proxy {

class Session;

// A configured listener and pool as every core sees them; made once at start-up, then only read.
struct Site {
  std::string listen_name;
  std::string pool_name;
  uint32_t pool_index = 0;
  std::vector<Network> trusted;
};

// One pool on one core.
struct PoolOnCore {
  PoolOnCore(Core& core, const config::Limits& limits, const config::Pool& pool,
             const std::vector<Server>& servers)
      : config(pool), balancer(static_cast<uint32_t>(servers.size()), core.index()) {
    for (const Server& server : servers)
      connections.emplace_back(core, pool.timeouts, limits.servers_idle, server);
  }
  const config::Pool& config;
  backends::RoundRobin balancer;
  std::deque<UpstreamPool> connections;  // by server index; a deque, because they do not move
};

struct Worker {
  Worker(Core& the_core, const config::Config& the_config, uint64_t seed)
      : core(the_core), config(the_config), ids(seed) {}

  Core& core;
  const config::Config& config;
  Rng ids;
  std::deque<PoolOnCore> pools;
  List<Session> sessions;  // all that are open, for drain and stop
  uint32_t session_count = 0;
  bool draining = false;
  Scope scope;  // last: it asserts that everything above is still there when its tasks have ended
};

}  // namespace breakwater::proxy
