// World: one run. The kernel, the scenario, what is known about every request, and everybody who takes part.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "coro/scope.h"
#include "sim/kernel.h"
#include "sim/scenario.h"

namespace breakwater::sim {

// The proxy's timeouts in every run: short, so that each of them fires.
inline constexpr int64_t head_timeout_ns = 2'000 * ms;
inline constexpr int64_t keep_alive_timeout_ns = 5'000 * ms;
inline constexpr int64_t connect_timeout_ns = 500 * ms;
inline constexpr int64_t response_timeout_ns = 4'000 * ms;
inline constexpr int64_t idle_timeout_ns = 3'000 * ms;
inline constexpr uint64_t client_pace = 1000;  // where the scenario minds it
inline constexpr int64_t client_pace_window_ns = 1'000 * ms;
inline constexpr int64_t server_idle_timeout_ns = 2'000 * ms;
inline constexpr int64_t linger_timeout_ns = 500 * ms;
inline constexpr int64_t queue_timeout_ns = 1'000 * ms;
// A server that failed is passed over for that long at first, and is given less for as long again.
inline constexpr int64_t eject_time_ns = 300 * ms;
// Of probes, where there are any.
inline constexpr int64_t probe_interval_ns = 200 * ms;
inline constexpr int64_t probe_fast_interval_ns = 50 * ms;
inline constexpr int64_t probe_timeout_ns = 100 * ms;
inline constexpr uint32_t probe_turns = 2;  // rise and fall
// How much later than its timeout anything may happen: ticks, the network, and completions that are late.
inline constexpr int64_t slack_ns = 400 * ms;

// What the servers saw of a request.
struct Record {
  const RequestPlan* plan = nullptr;
  const ClientPlan* client = nullptr;
  uint32_t heads_seen = 0;   // with the log-in, if it needs one
  uint32_t bodies_seen = 0;  // read whole
  int server = -1;           // the last that saw it
  int faulty_server = -1;    // the first that saw it, where the plan has a fault
  int64_t read_ns = 0;       // when it was read whole
};

struct SimServer {
  Address address;
  std::shared_ptr<PeerListener> listener;
  std::vector<End*> connections;
};

struct World {
  World(const Scenario& the_scenario, bool trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Record* find(uint32_t id) {
    const auto found = records.find(id);
    return found == records.end() ? nullptr : &found->second;
  }

  const Scenario& scenario;
  bool quiet;
  Kernel kernel;
  Address proxy;
  std::vector<SimServer> servers;
  std::unordered_map<uint32_t, Record> records;
  int64_t jumped_ns = 0;  // by faults of time
  bool draining = false;
  // The longest a client may have to wait for the next thing to happen.
  int64_t patience_ns = 0;
  Scope clients;      // ended: the run is over
  Scope connections;  // of the servers
};

Address address_of(uint32_t host, uint16_t port);

// client.cc
void start_clients(World& world);
// server.cc
void start_servers(World& world);

// run.cc: one whole run; returns when every check has passed.
struct Summary {
  uint64_t connections = 0, requests = 0, turns = 0;
  int64_t simulated_ns = 0;
};
Summary run(const Scenario& scenario, bool trace, std::map<std::string, uint64_t>& coverage);
// Everything that coverage can hold.
std::vector<std::string> everything_to_cover();

}  // namespace breakwater::sim
