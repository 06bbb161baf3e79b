// Health and balancing where they once went wrong: races between cores, and facts that contradict each other.
#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "backends/balancer.h"
#include "backends/retry_budget.h"

using namespace breakwater;
using namespace breakwater::backends;

namespace {
constexpr int64_t second = 1'000'000'000;
config::Pool pool_of(uint32_t servers, config::Balance balance = config::Balance::round_robin) {
  config::Pool pool;
  for (uint32_t index = 0; index < servers; index++)
    pool.servers.push_back({.address = {"server" + std::to_string(index), 80}});
  pool.health.slow_start = config::Duration{0};
  pool.balance = balance;
  return pool;
}
}  // namespace

TEST_CASE("health: another core's request between two looks does not make a pool empty") {
  for (const config::Balance balance : {config::Balance::least_connections, config::Balance::repository}) {
    config::Pool pool = pool_of(2, balance);
    pool.servers.push_back({.address = {"spare", 80}, .backup = true});
    PoolHealth health(pool);
    std::atomic<bool> stop = false;
    const auto other_core = [&] {
      Balancer balancer(health, 1, 2);
      for (uint64_t n = 0; !stop; n++) {
        const uint32_t server = balancer.pick({Work::other, n + 1}, {}, second);
        if (server == no_server) continue;
        health.begin(server);
        health.end(server);
      }
    };
    std::thread one(other_core), two(other_core);
    Balancer balancer(health, 0, 1);
    uint64_t none = 0, spare = 0;
    for (uint64_t n = 0; n < 3'000'000; n++) {
      const uint32_t server = balancer.pick({Work::other, n + 1}, {}, second);
      none += server == no_server;
      spare += server == 2;
    }
    stop = true;
    one.join();
    two.join();
    MESSAGE("none " << none << ", backup " << spare << " of 3000000");
    CHECK(none == 0);
    CHECK(spare == 0);
  }
}

TEST_CASE("balancer: a full server that another core left between two looks was divided by") {
  config::Pool pool = pool_of(1, config::Balance::repository);
  pool.servers[0].max = 1;
  PoolHealth health(pool);
  std::atomic<bool> stop = false;
  std::thread other_core([&] {
    while (!stop) {
      if (health.places().enter(0)) health.places().leave(0);
    }
  });
  Balancer balancer(health, 0, 1);
  uint64_t found = 0;
  for (uint64_t n = 0; n < 3'000'000; n++) found += balancer.pick({Work::other, n + 1}, {}, second) == 0;
  stop = true;
  other_core.join();
  CHECK(found > 0);
}

TEST_CASE("health: a server that answers over pooled connections is proven") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  health.report(0, Outcome::unreachable, second);
  const int64_t now = 20 * second;
  for (uint32_t n = 0; n < 100; n++) {
    health.begin(0);
    health.report(0, Outcome::good, now);
    health.end(0);
  }
  CHECK_FALSE(health.being_proven(0, second));
}

TEST_CASE("health: a server came back a moment after the time that another core still has") {
  config::Pool pool = pool_of(2);  // without a slow start
  pool.probe.type = config::Probe::Type::tcp;
  PoolHealth health(pool);
  health.probe_says(0, false, second);
  health.probe_says(0, true, 2 * second);
  CHECK(health.weight(0, 2 * second - 1) == 100 * 256);  // it divided by the time of the slow start
}

TEST_CASE("health: a connect that succeeds says that a server can be reached") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  health.report(0, Outcome::unreachable, second);
  health.reached(0, second);
  CHECK(health.state(0, second + 1) == State::up);
}

TEST_CASE("health: of a share of 0 percent nobody is ejected") {
  config::Pool pool = pool_of(4);
  pool.health.ejected_max = 0;
  PoolHealth health(pool);
  for (uint32_t n = 0; n < 9; n++) health.report(0, Outcome::error, second);
  CHECK(health.state(0, second) == State::up);
}

TEST_CASE("health: servers that the operator took out are not lost ones") {
  const config::Pool pool = pool_of(5);
  PoolHealth health(pool);
  for (uint32_t index = 0; index < 3; index++) health.set_weight(index, 0);
  for (uint32_t n = 0; n < 9; n++) health.report(3, Outcome::error, second);
  CHECK_FALSE(health.panics(second));
  CHECK(health.weight(3, second) == 0);
}

TEST_CASE("health: one repository that is slow by itself does not put its server out") {
  const config::Pool pool = pool_of(2, config::Balance::repository);
  PoolHealth health(pool);
  for (int64_t n = 0; n < 300; n++) {
    const int64_t now = second + n * 10'000'000;
    health.waited(0, Work::pack, 20'000'000, now);                    // many small repositories
    if (n % 10 == 0) health.waited(1, Work::pack, 900'000'000, now);  // a monorepo, one client in a loop
  }
  CHECK(health.state(1, 4 * second) == State::up);
}
