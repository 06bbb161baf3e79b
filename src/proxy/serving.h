// Serving: the life of the proxy on one core. Accept; on drain let sessions end; when the last is gone, stop
// the core. What is to be done comes through the core's mailbox. On the first core it also asks the servers
// how they are. Made and destroyed on the core's thread.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "proxy/agent_watch.h"
#include "proxy/listener.h"
#include "proxy/prober.h"
#include "proxy/worker.h"

namespace breakwater::proxy {

class Report;

class Serving {
 public:
  // One listening socket for each site; they are owned from here on. `sites`, `pools` and `config` outlive
  // this. `seed` is for request ids.
  Serving(Core& core, const config::Config& config, const std::vector<Site>& sites,
          std::deque<SharedPool>& pools, const std::vector<int>& listen_fds, uint64_t seed);
  Serving(const Serving&) = delete;
  Serving& operator=(const Serving&) = delete;

  // Where to write what is being served, when somebody asks for it (Mailbox::report).
  void write_reports_to(Report& report) noexcept { report_ = &report; }

 private:
  static void on_message(void* context, uint32_t messages);
  void watch_servers(std::deque<SharedPool>& pools, uint64_t seed);
  void drain() noexcept;
  void stop_sessions() noexcept;
  void end_if_drained() noexcept;
  void write_report() noexcept;

  Worker worker_;
  std::deque<Listener> listeners_;
  // Of one core; they end in the worker's scope.
  std::deque<Prober> probers_;
  std::deque<AgentWatch> agents_;
  Report* report_ = nullptr;
};

}  // namespace breakwater::proxy
