// Who gets a request, by each method, and what is remembered of operations.
#include "backends/balancer.h"

#include <doctest/doctest.h>

#include <cmath>
#include <map>

#include "backends/affinity.h"
#include "backends/retry_budget.h"

using namespace breakwater;
using namespace breakwater::backends;

namespace {

constexpr int64_t second = 1'000'000'000;

struct World {
  explicit World(config::Balance balance, std::vector<uint32_t> weights = {100, 100, 100}) {
    pool.balance = balance;
    for (size_t index = 0; index < weights.size(); index++)
      pool.servers.push_back({.address = {"server" + std::to_string(index), 80}, .weight = weights[index]});
  }
  config::Pool pool;
};

std::map<uint32_t, uint32_t> many(Balancer& balancer, uint32_t count, int64_t now = second) {
  std::map<uint32_t, uint32_t> picked;
  for (uint32_t index = 0; index < count; index++) picked[balancer.pick({Work::advertise, 0}, {}, now)]++;
  return picked;
}

}  // namespace

TEST_CASE("balancer: by turns, from where it was told to start") {
  const World world(config::Balance::round_robin);
  PoolHealth health(world.pool);
  Balancer balancer(health, 4, 1);
  CHECK(balancer.pick({Work::other, 0}, {}, second) == 1);
  CHECK(balancer.pick({Work::other, 0}, {}, second) == 0);
  CHECK(balancer.pick({Work::other, 0}, {}, second) == 2);
  CHECK(balancer.pick({Work::other, 0}, {}, second) == 1);
}

TEST_CASE("balancer: turns follow the weights, and are spread") {
  const World world(config::Balance::round_robin, {300, 100, 100});
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  const std::map<uint32_t, uint32_t> picked = many(balancer, 50);
  CHECK(picked == std::map<uint32_t, uint32_t>{{0, 30}, {1, 10}, {2, 10}});
  uint32_t in_a_row = 0;
  for (uint32_t count = 0; count < 50; count++) {
    in_a_row = balancer.pick({Work::other, 0}, {}, second) == 0 ? in_a_row + 1 : 0;
    CHECK(in_a_row <= 2);
  }
}

TEST_CASE(
    "balancer: one that is out gets nothing, one that was tried neither, and a backup only if it must") {
  World world(config::Balance::round_robin);
  world.pool.servers[2].backup = true;
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{0, 5}, {1, 5}});
  health.report(0, Outcome::unreachable, second);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{1, 10}});
  ServerSet tried;
  tried.add(1);
  CHECK(balancer.pick({Work::other, 0}, tried, second) == 2);
  tried.add(2);
  CHECK(balancer.pick({Work::other, 0}, tried, second) == no_server);
}

TEST_CASE("balancer: with all servers out each is tried in turn; what is in maintenance or drained is not") {
  const World world(config::Balance::fastest, {100, 100, 100, 100});
  PoolHealth health(world.pool);
  for (uint32_t index = 0; index < 4; index++) health.report(index, Outcome::unreachable, second);
  health.set_word(2, Word::maintenance);
  health.set_word(3, Word::drain);
  Balancer balancer(health, 0, 1);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{0, 5}, {1, 5}});
  health.set_word(0, Word::drain);
  health.set_word(1, Word::drain);
  CHECK(balancer.pick({Work::other, 0}, {}, second) == no_server);
}

TEST_CASE("balancer: writes go to primaries alone, and reads to the others first") {
  World world(config::Balance::round_robin, {100, 100, 100, 100});
  world.pool.servers[0].primary = world.pool.servers[1].primary = true;
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{2, 5}, {3, 5}});
  const Balancer::Ask write{Work::advertise, 7, true};
  CHECK(balancer.suits(0, write));
  CHECK_FALSE(balancer.suits(2, write));
  CHECK(balancer.suits(2, {Work::advertise, 7}));
  ServerSet tried;
  const uint32_t first = balancer.pick(write, tried, second);
  tried.add(first);
  const uint32_t other = balancer.pick(write, tried, second);
  CHECK(first + other == 1);
  tried.add(other);
  CHECK(balancer.pick(write, tried, second) == no_server);  // no replica takes a push
  health.report(2, Outcome::unreachable, second);
  health.report(3, Outcome::unreachable, second);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{0, 5}, {1, 5}});
}

TEST_CASE("balancer: one request finds out whether a server lives again") {
  const World world(config::Balance::round_robin, {100, 100});
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  health.report(0, Outcome::unreachable, second);
  const int64_t later = 60 * second;
  ServerSet tried;
  tried.add(1);
  CHECK(balancer.pick({Work::other, 0}, tried, later) == 0);
  CHECK(many(balancer, 10, later) == std::map<uint32_t, uint32_t>{{1, 10}});
  CHECK(balancer.pick({Work::other, 0}, tried, later) == 0);  // nobody else is left
  health.reached(0, later);
  CHECK(many(balancer, 10, later)[0] > 0);
}

TEST_CASE("balancer: the fewest requests in flight for its weight") {
  const World world(config::Balance::least_connections, {100, 100, 300});
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  std::map<uint32_t, uint32_t> in_flight;
  for (uint32_t count = 0; count < 50; count++) {
    const uint32_t server = balancer.pick({Work::other, 0}, {}, second);
    health.begin(server);
    in_flight[server]++;
  }
  CHECK(in_flight == std::map<uint32_t, uint32_t>{{0, 10}, {1, 10}, {2, 30}});
  for (uint32_t count = 0; count < 10; count++) health.end(1);
  for (uint32_t count = 0; count < 9; count++) {
    CHECK(balancer.pick({Work::other, 0}, {}, second) == 1);
    health.begin(1);
  }
}

TEST_CASE("balancer: the faster of two, for this class of work") {
  const World world(config::Balance::fastest);
  PoolHealth health(world.pool);
  for (uint32_t index = 0; index < 3; index++) {
    health.waited(index, Work::advertise, (index + 1) * 2'000'000, second);
    health.waited(index, Work::pack, (3 - index) * 2'000'000, second);
  }
  Balancer balancer(health, 0, 1);
  std::map<uint32_t, uint32_t> adverts = many(balancer, 300);
  CHECK(adverts[0] > 150);  // drawn in two of three pairs
  CHECK(adverts[1] > 50);
  CHECK(adverts[2] == 0);
  std::map<uint32_t, uint32_t> packs;
  for (uint32_t count = 0; count < 300; count++) packs[balancer.pick({Work::pack, 0}, {}, second)]++;
  CHECK(packs[2] > 150);
  CHECK(packs[0] == 0);
}

TEST_CASE("balancer: a repository has its server on every node, and moves only if that leaves") {
  const World world(config::Balance::repository, {100, 100, 100, 100});
  World other_order(config::Balance::repository, {100, 100, 100, 100});
  std::swap(other_order.pool.servers[0], other_order.pool.servers[3]);
  PoolHealth health(world.pool);
  PoolHealth health_there(other_order.pool);
  Balancer here(health, 0, 1), there(health_there, 2, 99);
  std::map<uint64_t, uint32_t> home;
  std::map<uint32_t, uint32_t> count;
  for (uint64_t number = 0; number < 400; number++) {
    const uint64_t repository = hash("team/app" + std::to_string(number), false);
    home[repository] = here.pick({Work::pack, repository}, {}, second);
    count[home[repository]]++;
    const uint32_t found = there.pick({Work::pack, repository}, {}, second);
    CHECK(other_order.pool.servers[found] == world.pool.servers[home[repository]]);
  }
  for (const auto& [server, repositories] : count) CHECK(repositories > 60);
  health.report(1, Outcome::unreachable, second);
  for (const auto& [repository, server] : home) {
    const uint32_t now = here.pick({Work::pack, repository}, {}, second);
    CHECK((server == 1 ? now != 1 : now == server));
  }
}

TEST_CASE("balancer: a repository that everybody wants spills over to its next server") {
  const World world(config::Balance::repository);
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  const uint64_t repository = hash("monorepo", false);
  std::map<uint32_t, uint32_t> in_flight;
  for (uint32_t count = 0; count < 90; count++) {
    const uint32_t server = balancer.pick({Work::pack, repository}, {}, second);
    REQUIRE(server != no_server);
    health.begin(server);
    in_flight[server]++;
  }
  for (const auto& [server, requests] : in_flight) {
    CHECK(requests >= 14);
    CHECK(requests <= 38);
  }
}

TEST_CASE("affinity: a connection remembers its operation, by pool and repository") {
  Affinity affinity;
  CHECK(affinity.server_for(0, 7) == no_server);
  affinity.remember(0, 7, 2);
  CHECK(affinity.server_for(0, 7) == 2);
  CHECK(affinity.server_for(1, 7) == no_server);
  CHECK(affinity.server_for(0, 8) == no_server);
}

TEST_CASE("affinity: the table remembers for a while, for all connections") {
  AffinityTable table;
  const uint64_t key = hash("client and repository", false);
  CHECK(table.server_for(key, second) == no_server);
  table.remember(key, 255, 5 * second);
  CHECK(table.server_for(key, 5 * second) == 255);
  CHECK(table.server_for(key, 35 * second) == 255);
  CHECK(table.server_for(key, 36 * second) == no_server);
  CHECK(table.server_for(hash("another", false), 5 * second) == no_server);
  table.remember(key, 0, 5 * second);
  CHECK(table.server_for(key, 5 * second) == 0);
}

TEST_CASE("affinity: hashes fold case where they are told to") {
  CHECK(hash("Team/App", true) == hash("team/app", true));
  CHECK(hash("Team/App", false) != hash("team/app", false));
}

TEST_CASE("retry budget: a share of all requests, and a stock for quiet times") {
  RetryBudget budget(10);
  for (uint32_t count = 0; count < RetryBudget::stock_max; count++) CHECK(budget.take());
  CHECK_FALSE(budget.take());
  uint32_t taken = 0;
  for (uint32_t count = 0; count < 1000; count++) {
    budget.request();
    if (budget.take()) taken++;
  }
  CHECK(taken == 100);
  RetryBudget none(0);
  none.request();
  CHECK_FALSE(none.take());
}

TEST_CASE("balancer: a server whose agent gives it nothing of its weight is not even a last resort") {
  const World world(config::Balance::round_robin, {100, 100});
  PoolHealth health(world.pool);
  Balancer balancer(health, 0, 1);
  health.set_agents_percent(0, 0);
  health.set_agents_percent(1, 50);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{1, 10}});
  health.agent_says(1, false, second);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{1, 10}});  // down, but there is nobody else
  health.set_agents_percent(0, 300);
  health.agent_says(1, true, second);
  health.set_agents_percent(1, 100);
  const std::map<uint32_t, uint32_t> picked = many(balancer, 356, 3600 * second);
  CHECK(picked == std::map<uint32_t, uint32_t>{{0, 256}, {1, 100}});
}

TEST_CASE("balancer: a slot gets requests while it has an address") {
  const World world(config::Balance::round_robin);
  PoolHealth health(world.pool);
  health.begin_absent(1);
  Balancer balancer(health, 0, 1);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{0, 5}, {2, 5}});
  health.arrive(1, {.backup = true}, true, second);
  CHECK(many(balancer, 10) == std::map<uint32_t, uint32_t>{{0, 5}, {2, 5}});
  health.arrive(1, {}, false, second);
  CHECK(many(balancer, 30, 60 * second)[1] == 10);
  health.leave(1, 60 * second);
  CHECK(many(balancer, 10, 60 * second)[1] == 0);
  for (const uint32_t slot : {0, 2}) health.leave(slot, 60 * second);
  CHECK(balancer.pick({Work::other, 0}, {}, 60 * second) == no_server);
}

TEST_CASE("balancer: a repository follows the address, not the slot") {
  const World world(config::Balance::repository);
  PoolHealth here(world.pool), there(world.pool);
  for (uint32_t slot = 0; slot < 3; slot++) {
    here.arrive(slot, {.key = slot}, true, second);
    there.arrive(slot, {.key = 2 - slot}, true, second);
  }
  Balancer one(here, 0, 1), other(there, 1, 9);
  for (uint64_t repository = 1; repository < 100; repository++)
    CHECK(one.pick({Work::other, repository}, {}, second) ==
          2 - other.pick({Work::other, repository}, {}, second));
}
