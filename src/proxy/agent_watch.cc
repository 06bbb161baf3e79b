#include "proxy/agent_watch.h"

#include <algorithm>

namespace breakwater::proxy {

using config::ns;

AgentWatch::AgentWatch(Core& core, SharedPool& pool, uint32_t server, uint64_t seed)
    : core_(core), pool_(pool), index_(server), rng_(seed), beat_(core), call_(core) {}

// The first question is asked at once, so that a server that is to be left in peace has little to bear.
Task<void> AgentWatch::run() {
  int64_t due_ns = core_.now_ns();
  for (;;) {
    beat_.set(due_ns);
    co_await beat_.struck;
    if (beat_.stopped()) co_return;
    due_ns = core_.now_ns() + with_jitter(ns(pool_.config.agent.interval), rng_);
    const bool told = co_await ask(due_ns);
    call_.close();
    if (beat_.stopped()) co_return;
    if (!told) core_.stats().agents_failed.add();
  }
}

void AgentWatch::stop() noexcept {
  beat_.stop();
  call_.cancel();
}

// True: it has said something, and that was learnt.
Task<bool> AgentWatch::ask(int64_t due_ns) {
  const ServerAddress* const server = pool_.servers[index_].at();
  if (server == nullptr || !pool_.health.server(index_).present())
    co_return true;  // nobody is there to be asked
  Address address = server->address;
  address.set_port(static_cast<uint16_t>(pool_.config.agent.port));
  core_.stats().agents_asked.add();
  const int opened = call_.open(address, due_ns);
  if (opened < 0) co_return false;
  const int32_t connected = co_await call_.connect(address);
  if (connected < 0) co_return false;
  const std::optional<std::string_view> line = co_await read_line();
  if (!line) co_return false;
  const wire::AgentAnswer answer = wire::parse_agent_line(*line);
  learn(answer);
  co_return answer.says_anything();
}

// Without its end, which may be that of the connection. None if it is too long, or the connection breaks.
Task<std::optional<std::string_view>> AgentWatch::read_line() {
  size_t filled = 0;
  for (;;) {
    const std::span<char> room(line_.data() + filled, line_.size() - filled);
    if (room.empty()) co_return std::nullopt;
    const int32_t received = co_await call_.receive(room);
    if (received < 0) co_return std::nullopt;
    filled += static_cast<size_t>(received);
    const std::string_view bytes(line_.data(), filled);
    const size_t end = wire::end_of_agent_line(bytes);
    if (end != std::string_view::npos || received == 0) co_return bytes.substr(0, end);
  }
}

// The order first, so that a server that is put into maintenance is not seen up for a moment.
void AgentWatch::learn(const wire::AgentAnswer& answer) noexcept {
  using Health = wire::AgentAnswer::Health;
  using Order = wire::AgentAnswer::Order;
  backends::PoolHealth& health = pool_.health;
  if (answer.order == Order::ready) health.set_agents_word(index_, backends::Word::ready, core_.now_ns());
  if (answer.order == Order::drain) health.set_agents_word(index_, backends::Word::drain, core_.now_ns());
  if (answer.order == Order::maintenance)
    health.set_agents_word(index_, backends::Word::maintenance, core_.now_ns());
  if (answer.weight_percent) health.set_agents_percent(index_, *answer.weight_percent);
  if (answer.connections_max) health.set_agents_max(index_, *answer.connections_max);
  if (answer.health != Health::unsaid) health.agent_says(index_, answer.health == Health::up, core_.now_ns());
}

}  // namespace breakwater::proxy
