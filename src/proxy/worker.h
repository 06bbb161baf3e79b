// Worker: what the proxy has on one core besides the Core itself: its sessions, its server pools, its request
// ids.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "config/config.h"
#include "core/core.h"
#include "coro/scope.h"
#include "proxy/pool.h"
#include "proxy/router.h"
#include "proxy/trust.h"
#include "tls/current.h"
#include "tls/handshakes.h"

namespace breakwater::proxy {

class Receiver;
class Session;

// A configured listener as every core sees it; made once at start-up, then only read.
struct Site {
  std::string listen_name;
  Router router;
  std::vector<config::Network> trusted;
  std::string redirect = {};  // config::Listen::redirect
  bool tells_client_certificate = false;
  std::unique_ptr<tls::Current<tls::Context>> tls;  // null: it speaks no TLS
};

// A client that waits, with no request begun. Its place may go to another.
struct IdleClient : ListNode {
  IdleClient(Receiver& the_receiver, int64_t since) noexcept : receiver(the_receiver), since_ns(since) {}
  ~IdleClient() { unlink(); }
  Receiver& receiver;  // to cancel it ends the connection
  const int64_t since_ns;
};

struct Worker {
  Worker(Core& the_core, const config::Config& the_config, uint64_t seed)
      : core(the_core),
        config(the_config),
        ids(seed),
        handshakes(the_core, the_config.limits.tls_handshakes) {}

  Core& core;
  const config::Config& config;
  Rng ids;
  tls::Handshakes handshakes;
  std::deque<PoolOnCore> pools;
  List<Session> sessions;         // all that are open, for drain and stop
  List<IdleClient> idle_clients;  // the longest wait first, before it those that have had their last answer
  uint32_t session_count = 0;
  bool draining = false;
  Scope scope;  // last: it asserts that everything above is still there when its tasks have ended
};

}  // namespace breakwater::proxy
