#include "proxy/serving.h"

#include "proxy/exchange.h"
#include "proxy/report.h"
#include "proxy/session.h"

namespace breakwater::proxy {

Serving::Serving(Core& core, const config::Config& config, const std::vector<Site>& sites,
                 std::deque<SharedPool>& pools, const std::vector<int>& listen_fds, uint64_t seed)
    : worker_(core, config, seed) {
  for (SharedPool& pool : pools) {
    worker_.pools.emplace_back(core, config.limits, pool, seed + worker_.pools.size());
  }
  for (size_t index = 0; index < listen_fds.size(); index++) {
    listeners_.emplace_back(worker_, sites[index], listen_fds[index]);
  }
  core.mailbox().listen(core.ring(), on_message, this);
  worker_.scope.when_empty([](void* self) { static_cast<Serving*>(self)->end_if_drained(); }, this);
  for (Listener& listener : listeners_) listener.start();
  if (core.index() == 0) watch_servers(pools, seed);
}

// All that is learnt goes to the pools' health, where every core sees it.
void Serving::watch_servers(std::deque<SharedPool>& pools, uint64_t seed) {
  Core& core = worker_.core;
  Rng seeds(seed);
  for (SharedPool& pool : pools) {
    for (uint32_t server = 0; server < pool.servers.size(); server++) {
      if (pool.config.probe.type != config::Probe::Type::off)
        probers_.emplace_back(core, pool, server, seeds.next());
      if (pool.config.agent.port != 0) agents_.emplace_back(core, pool, server, seeds.next());
    }
  }
  for (Prober& prober : probers_) worker_.scope.spawn(prober.run());
  for (AgentWatch& agent : agents_) worker_.scope.spawn(agent.run());
}

void Serving::on_message(void* context, uint32_t messages) {
  Serving& self = *static_cast<Serving*>(context);
  if ((messages & Mailbox::report) != 0) self.write_report();
  if ((messages & (Mailbox::drain | Mailbox::stop_now)) != 0) self.drain();
  if ((messages & Mailbox::stop_now) != 0) self.stop_sessions();
  self.end_if_drained();
}

// Nothing of an exchange moves meanwhile, so each row is true in itself.
void Serving::write_report() noexcept {
  if (report_ == nullptr || !report_->is_asked_for()) return;
  const Listing listing = report_->begin();
  for (PoolOnCore& pool : worker_.pools) pool.queue.number();
  for (Session* session = worker_.sessions.front(); session != nullptr;
       session = worker_.sessions.after(*session)) {
    if (session->exchange() == nullptr) continue;
    if (listing == Listing::waiting && !session->exchange()->waits_in_queue()) continue;
    OperationRow* const row = report_->add();
    if (row != nullptr) session->exchange()->describe(*row);
  }
  report_->publish();
}

void Serving::drain() noexcept {
  if (worker_.draining) return;
  worker_.draining = true;
  for (Listener& listener : listeners_) listener.stop();
  for (Prober& prober : probers_) prober.stop();
  for (AgentWatch& agent : agents_) agent.stop();
  Session* next = nullptr;
  for (Session* session = worker_.sessions.front(); session != nullptr; session = next) {
    next = worker_.sessions.after(*session);
    session->drain();
  }
}

void Serving::stop_sessions() noexcept {
  Session* next = nullptr;
  for (Session* session = worker_.sessions.front(); session != nullptr; session = next) {
    next = worker_.sessions.after(*session);
    session->stop_now();
  }
}

void Serving::end_if_drained() noexcept {
  if (!worker_.draining || !worker_.scope.empty()) return;
  for (PoolOnCore& pool : worker_.pools) {
    for (UpstreamPool& connections : pool.connections) connections.close();
  }
  worker_.core.mailbox().close();
  worker_.core.stop();
}

}  // namespace breakwater::proxy
