// Limits of single servers: how many operations run on each, and who is passed over for that.
#include "backends/places.h"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

#include "backends/balancer.h"

using namespace breakwater;
using namespace breakwater::backends;

namespace {

constexpr int64_t second = 1'000'000'000;

config::Pool pool_of(const std::vector<uint32_t>& limits,
                     config::Balance balance = config::Balance::round_robin) {
  config::Pool pool;
  pool.balance = balance;
  for (size_t index = 0; index < limits.size(); index++)
    pool.servers.push_back({.address = {"server" + std::to_string(index), 80}, .max = limits[index]});
  return pool;
}

}  // namespace

TEST_CASE("places: a server takes as many as it may, and one more when one has left") {
  const config::Pool pool = pool_of({2, 0});
  Places places(pool.servers);
  CHECK(places.has_limits());
  CHECK(places.enter(0));
  CHECK_FALSE(places.is_full(0));
  CHECK(places.enter(0));
  CHECK(places.is_full(0));
  CHECK_FALSE(places.enter(0));
  CHECK(places.taken(0) == 2);
  places.enter_anyway(0);
  CHECK(places.taken(0) == 3);
  places.leave(0);
  CHECK_FALSE(places.enter(0));
  places.leave(0);
  CHECK(places.enter(0));
  for (int count = 0; count < 100; count++) CHECK(places.enter(1));
}

TEST_CASE("places: an agent gives a limit, moves it, and takes it away") {
  const config::Pool pool = pool_of({0, 0});
  PoolHealth health(pool);
  Places& places = health.places();
  CHECK_FALSE(places.has_limits());
  health.set_agents_max(1, 1);
  CHECK(places.has_limits());
  CHECK(places.enter(1));
  CHECK_FALSE(places.enter(1));
  health.set_agents_max(1, 2);
  CHECK(places.enter(1));
  health.set_agents_max(1, 1);  // fewer than there are
  CHECK(places.is_full(1));
  health.set_agents_max(1, 0);
  CHECK_FALSE(places.has_limits());
  CHECK_FALSE(places.is_full(1));
}

TEST_CASE("places: who comes to an address anew knows nothing of what the last one's agent said") {
  const config::Pool pool = pool_of({3});
  PoolHealth health(pool);
  health.set_agents_max(0, 1);
  health.arrive(0, {}, false, second);
  CHECK(health.places().limit(0) == 1);
  health.arrive(0, {}, true, second);
  CHECK(health.places().limit(0) == 3);
}

TEST_CASE("places: cores that race never exceed a limit, and lose no place") {
  const config::Pool pool = pool_of({3});
  Places places(pool.servers);
  std::atomic<uint32_t> inside{0};
  std::atomic<bool> exceeded{false};
  const auto core = [&] {
    for (int turn = 0; turn < 20'000; turn++) {
      if (!places.enter(0)) continue;
      if (inside.fetch_add(1) + 1 > 3) exceeded = true;
      inside.fetch_sub(1);
      places.leave(0);
    }
  };
  std::vector<std::thread> cores;
  for (int index = 0; index < 4; index++) cores.emplace_back(core);
  for (std::thread& each : cores) each.join();
  CHECK_FALSE(exceeded);
  CHECK(places.taken(0) == 0);
}

TEST_CASE("balancer: a full server is passed over, by every method") {
  for (const config::Balance balance : {config::Balance::round_robin, config::Balance::least_connections,
                                        config::Balance::fastest, config::Balance::repository}) {
    const config::Pool pool = pool_of({1, 1, 0}, balance);
    PoolHealth health(pool);
    Balancer balancer(health, 0, 1);
    health.places().enter_anyway(0);
    health.places().enter_anyway(1);
    for (uint64_t repository = 1; repository < 50; repository++)
      CHECK(balancer.pick({Work::advertise, repository}, {}, second) == 2);
    health.places().leave(1);
    bool was_picked = false;
    for (uint64_t repository = 1; repository < 200; repository++) {
      const uint32_t server = balancer.pick({Work::advertise, repository}, {}, second);
      CHECK(server != 0);
      was_picked = was_picked || server == 1;
    }
    CHECK(was_picked);
  }
}

TEST_CASE("balancer: if all are full nobody gets it, but for who is in the middle of something") {
  for (const config::Balance balance : {config::Balance::round_robin, config::Balance::least_connections,
                                        config::Balance::fastest, config::Balance::repository}) {
    const config::Pool pool = pool_of({1, 1}, balance);
    PoolHealth health(pool);
    Balancer balancer(health, 0, 1);
    for (uint32_t index = 0; index < 2; index++) health.places().enter_anyway(index);
    CHECK(balancer.pick({Work::advertise, 7}, {}, second) == all_full);
    CHECK(balancer.pick({.work = Work::pack, .repository = 7, .over_max = true}, {}, second) < 2);
    ServerSet tried;
    tried.add(0);
    CHECK(balancer.pick({Work::advertise, 7}, tried, second) == all_full);
    tried.add(1);
    CHECK(balancer.pick({Work::advertise, 7}, tried, second) == no_server);
  }
}

TEST_CASE(
    "balancer: load alone brings nobody to a backup, an ejected server, or from a primary to a replica") {
  config::Pool pool = pool_of({1, 0, 0});
  pool.servers[1].backup = true;
  pool.health.ejected_max = 100;
  pool.health.panic = 0;
  PoolHealth health(pool);
  Balancer balancer(health, 0, 1);
  health.places().enter_anyway(0);
  CHECK(balancer.pick({Work::advertise, 7}, {}, second) == 2);
  for (uint32_t count = 0; count < pool.health.errors; count++) health.report(2, Outcome::broke, second);
  CHECK(health.state(2, second) == State::ejected);
  CHECK(balancer.pick({Work::advertise, 7}, {}, second) == all_full);
  health.report(0, Outcome::unreachable, second);  // but if it is down they are
  CHECK(balancer.pick({Work::advertise, 7}, {}, second) == 1);

  config::Pool with_primary = pool_of({1, 0});
  with_primary.servers[0].primary = true;
  PoolHealth health_of_primary(with_primary);
  Balancer of_primary(health_of_primary, 0, 1);
  health_of_primary.places().enter_anyway(0);
  CHECK(of_primary.pick({Work::advertise, 7, true}, {}, second) == all_full);
  CHECK(of_primary.pick({Work::advertise, 7}, {}, second) == 1);
}
