// AgentWatch: asks the agent beside one server again and again how it fares (wire/agent_check.h), and tells
// PoolHealth. An agent that can't be reached, or says nothing that is understood, changes nothing.
//
// On the core that probes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/rng.h"
#include "coro/task.h"
#include "proxy/beat.h"
#include "proxy/pool.h"
#include "proxy/short_call.h"
#include "wire/agent_check.h"

namespace breakwater::proxy {

class AgentWatch {
 public:
  // Of a pool whose servers have agents. `pool` outlives this, and this outlives what run() gives.
  AgentWatch(Core& core, SharedPool& pool, uint32_t server, uint64_t seed);
  AgentWatch(const AgentWatch&) = delete;
  AgentWatch& operator=(const AgentWatch&) = delete;

  // Until stop(), which it then follows within a few turns.
  Task<void> run();
  void stop() noexcept;

 private:
  Task<bool> ask(int64_t due_ns);
  Task<std::optional<std::string_view>> read_line();
  void learn(const wire::AgentAnswer& answer) noexcept;

  Core& core_;
  SharedPool& pool_;
  const uint32_t index_;
  Rng rng_;
  Beat beat_;
  ShortCall call_;
  std::array<char, wire::agent_line_bytes_max + 1> line_;  // with its end
};

}  // namespace breakwater::proxy
