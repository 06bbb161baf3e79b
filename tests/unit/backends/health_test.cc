// What is learnt of servers, and what follows from it. Time is a number here.
#include "backends/health.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "backends/streak.h"

using namespace breakwater;
using namespace breakwater::backends;

namespace {

constexpr int64_t ms = 1'000'000;
constexpr int64_t second = 1000 * ms;

config::Pool pool_of(uint32_t servers) {
  config::Pool pool;
  for (uint32_t index = 0; index < servers; index++)
    pool.servers.push_back({.address = {"server" + std::to_string(index), 80}});
  pool.health.slow_start = config::Duration{0};
  return pool;
}

// Requests to every server, one each every 10 ms, that wait for `waits_ms[server]`.
void serve(PoolHealth& health, const std::vector<int64_t>& waits_ms, int64_t from_ns, int64_t to_ns) {
  for (int64_t now = from_ns; now < to_ns; now += 10 * ms) {
    for (uint32_t index = 0; index < waits_ms.size(); index++) {
      if (health.weight(index, now) > 0) health.waited(index, Work::advertise, waits_ms[index] * ms, now);
    }
  }
}

}  // namespace

TEST_CASE("health: a server begins as up, with its whole weight") {
  config::Pool pool = pool_of(2);
  pool.servers[1].weight = 7;
  const PoolHealth health(pool);
  CHECK(health.state(0, second) == State::up);
  CHECK(health.weight(0, second) == 100 * 256);
  CHECK(health.weight(1, second) == 7 * 256);
  CHECK_FALSE(health.panics(second));
}

TEST_CASE("health: one failed connect puts a server out, for a time that doubles while it is soon again") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  int64_t now = second;
  for (const int64_t seconds : {5, 10, 20, 40, 80, 160, 300, 300}) {
    health.report(0, Outcome::unreachable, now);
    CHECK(health.state(0, now) == State::down);
    CHECK(health.server(0).reason() == Reason::connect);
    CHECK(health.state(0, now + seconds * second - 1) == State::down);
    now += seconds * second;
    CHECK(health.state(0, now) == State::up);
    CHECK_FALSE(health.being_proven(0, now));
    health.prove(0, now);
    CHECK(health.being_proven(0, now));
  }
  health.reached(0, now);
  CHECK_FALSE(health.being_proven(0, now));
  now += 600 * second;  // twice as long as it was out
  health.report(0, Outcome::unreachable, now);
  CHECK(health.state(0, now + 5 * second - 1) == State::down);
  CHECK(health.state(0, now + 5 * second) == State::up);
}

TEST_CASE("health: failures in a row eject, and a good answer ends the row") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  for (const Outcome outcome : {Outcome::broke, Outcome::error, Outcome::git_error, Outcome::broke})
    health.report(0, outcome, second);
  CHECK(health.state(0, second) == State::up);
  health.report(0, Outcome::good, second);
  for (uint32_t count = 0; count < 4; count++) health.report(0, Outcome::error, second);
  CHECK(health.state(0, second) == State::up);
  health.report(0, Outcome::error, second);
  CHECK(health.state(0, second) == State::ejected);
  CHECK(health.weight(0, second) == 0);
  CHECK(health.keeps_operations(0, second));  // it may only be the newest that fail
}

TEST_CASE("health: no more than a share is ejected at once, and never the last one; facts know no share") {
  const config::Pool pool = pool_of(4);
  PoolHealth health(pool);
  const auto fail = [&](uint32_t server) {
    for (uint32_t count = 0; count < pool.health.errors; count++)
      health.report(server, Outcome::error, second);
  };
  for (uint32_t server = 0; server < 4; server++) fail(server);
  CHECK(health.state(0, second) == State::ejected);
  CHECK(health.state(1, second) == State::ejected);
  CHECK(health.state(2, second) == State::up);
  CHECK(health.state(3, second) == State::up);
  health.report(2, Outcome::unreachable, second);
  health.report(3, Outcome::unreachable, second);
  CHECK(health.state(2, second) == State::down);
  CHECK(health.state(3, second) == State::down);

  const config::Pool one = pool_of(1);
  PoolHealth alone(one);
  for (uint32_t count = 0; count < 99; count++) alone.report(0, Outcome::error, second);
  CHECK(alone.state(0, second) == State::up);
}

TEST_CASE("health: with little left of the pool, judgements count no more but facts do") {
  const config::Pool pool = pool_of(4);
  PoolHealth health(pool);
  for (uint32_t count = 0; count < pool.health.errors; count++) health.report(0, Outcome::error, second);
  health.report(1, Outcome::unreachable, second);
  CHECK(health.weight(0, second) == 0);
  CHECK_FALSE(health.panics(second));
  health.report(2, Outcome::unreachable, second);
  CHECK(health.panics(second));
  CHECK(health.weight(0, second) == 100 * 256);
  CHECK(health.weight(1, second) == 0);
}

TEST_CASE("health: a server that comes back rises to its whole weight") {
  config::Pool pool = pool_of(2);
  pool.health.slow_start = config::Duration{8'000};
  PoolHealth health(pool);
  health.report(0, Outcome::unreachable, second);
  const int64_t back = 6 * second;
  CHECK(health.weight(0, back) == 100 * 16);
  CHECK(health.weight(0, back + 2 * second) == 100 * 64);
  CHECK(health.weight(0, back + 4 * second) == 100 * 128);
  CHECK(health.weight(0, back + 8 * second) == 100 * 256);
}

TEST_CASE("health: a server twenty times slower than its peers loses weight first, then is ejected") {
  const config::Pool pool = pool_of(3);
  PoolHealth health(pool);
  serve(health, {10, 10, 10}, second, 2 * second);
  CHECK(health.state(2, 2 * second) == State::up);
  serve(health, {10, 10, 200}, 2 * second, 2 * second + 500 * ms);
  CHECK(health.state(2, 2 * second + 500 * ms) == State::slow);
  CHECK(health.weight(2, 2 * second + 500 * ms) < 100 * 256 / 3);
  CHECK(health.weight(2, 2 * second + 500 * ms) > 0);
  serve(health, {10, 10, 200}, 2 * second + 500 * ms, 4 * second);
  CHECK(health.state(2, 4 * second) == State::ejected);
  CHECK(health.server(2).reason() == Reason::slow);
  CHECK(health.state(0, 4 * second) == State::up);
  CHECK(health.state(1, 4 * second) == State::up);
}

TEST_CASE("health: a server four times slower keeps a part of its weight, until it is better by half") {
  config::Pool pool = pool_of(3);
  PoolHealth health(pool);
  serve(health, {10, 10, 40}, second, 20 * second);
  CHECK(health.state(2, 20 * second) == State::slow);
  CHECK(health.weight(2, 20 * second) == 100 * 64);
  serve(health, {10, 10, 20}, 20 * second, 21 * second);  // less than 3 times, more than 1.5 times
  CHECK(health.state(2, 21 * second) == State::up);       // 20 ms: not more than 20 ms above the others
  pool.health.slow_min = config::Duration{1};
  serve(health, {10, 10, 40}, 21 * second, 22 * second);
  serve(health, {10, 10, 20}, 22 * second, 23 * second);
  CHECK(health.state(2, 23 * second) == State::slow);
  serve(health, {10, 10, 12}, 23 * second, 24 * second);
  CHECK(health.state(2, 24 * second) == State::up);
}

TEST_CASE("health: microseconds, web pages, few samples and old samples don't make a server slow") {
  const config::Pool pool = pool_of(3);
  PoolHealth health(pool);
  for (uint32_t count = 0; count < 50; count++) {
    const int64_t now = second + count * 100 * ms;
    for (const uint32_t index : {0u, 1u}) {
      health.waited(index, Work::advertise, ms / 10, now);
      health.waited(index, Work::other, 10 * ms, now);
      health.waited(index, Work::pack, 10 * ms, now);
      health.waited(index, Work::negotiate, 10 * ms, now);
    }
    health.waited(2, Work::advertise, 2 * ms, now);                // 20 times, but 2 ms
    health.waited(2, Work::other, 5 * second, now);                // a report that takes its time
    if (count < 4) health.waited(2, Work::pack, 9 * second, now);  // four packs
    if (count < 20) health.waited(2, Work::negotiate, 20 * ms, now);
    CHECK(health.state(2, now) == State::up);
  }
  const int64_t later = 100 * second;
  for (uint32_t count = 0; count < 9; count++) health.waited(2, Work::negotiate, 9 * second, later);
  CHECK(health.state(2, later + second) == State::up);  // what is known of its peers is a minute old
}

TEST_CASE("health: when all are slow, none is") {
  const config::Pool pool = pool_of(3);
  PoolHealth health(pool);
  serve(health, {10, 10, 10}, second, 2 * second);
  serve(health, {500, 500, 500}, 2 * second, 9 * second);
  for (uint32_t index = 0; index < 3; index++) CHECK(health.state(index, 9 * second) == State::up);
}

TEST_CASE("health: patience is known once the pool is") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  CHECK(health.patience_ns(Work::advertise) == 0);
  serve(health, {10, 10}, second, 2 * second);
  CHECK(health.patience_ns(Work::advertise) == 80 * ms);  // 2 * 3 * 10 ms + 20 ms
  CHECK(health.patience_ns(Work::pack) == 0);
}

TEST_CASE("health: where there are probes, they say when a server is back") {
  config::Pool pool = pool_of(2);
  pool.probe.type = config::Probe::Type::tcp;
  PoolHealth health(pool);
  health.report(0, Outcome::unreachable, second);
  CHECK(health.state(0, 3600 * second) == State::down);
  health.probe_says(0, true, 3600 * second);
  CHECK(health.state(0, 3600 * second) == State::up);
  health.probe_says(0, false, 3601 * second);
  CHECK(health.state(0, 3602 * second) == State::down);
  CHECK(health.server(0).reason() == Reason::probe);
}

TEST_CASE("health: the operator's word") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  const uint32_t before = health.version();
  health.set_word(0, Word::drain);
  CHECK(health.version() != before);
  CHECK(health.state(0, second) == State::draining);
  CHECK(health.weight(0, second) == 0);
  CHECK(health.keeps_operations(0, second));
  health.set_word(0, Word::maintenance);
  CHECK(health.state(0, second) == State::maintenance);
  CHECK_FALSE(health.keeps_operations(0, second));
  health.set_word(0, Word::ready);
  health.set_weight(0, 3);
  CHECK(health.state(0, second) == State::up);
  CHECK(health.weight(0, second) == 3 * 256);
}

TEST_CASE("health: why the last probe failed") {
  config::Pool pool = pool_of(2);
  pool.probe.type = config::Probe::Type::http;
  PoolHealth health(pool);
  using Why = ProbeFailure::Why;
  CHECK(health.server(0).probe_failure().text() == "");
  health.probe_failed(0, {Why::status, 503});
  CHECK(health.server(0).probe_failure().text() == "status 503");
  CHECK(health.state(0, second) == State::up);  // one is not believed
  health.probe_failed(0, {Why::no_connection, ECONNREFUSED});
  CHECK(health.server(0).probe_failure().text() == "no connection: Connection refused");
  CHECK(ProbeFailure{Why::no_connection, 9999}.text() == "no connection: error 9999");
  CHECK(health.server(1).probe_failure() == ProbeFailure{});
}

TEST_CASE("health: an agent's down stands until it says up, whatever probes say") {
  config::Pool pool = pool_of(2);
  pool.probe.type = config::Probe::Type::tcp;
  PoolHealth health(pool);
  health.agent_says(0, true, second);
  CHECK(health.state(0, second) == State::up);
  health.agent_says(0, false, second);
  CHECK(health.state(0, 3600 * second) == State::down);
  CHECK(health.server(0).reason() == Reason::agent);
  CHECK(health.server(0).ejections() == 1);
  health.agent_says(0, false, 2 * second);
  CHECK(health.server(0).ejections() == 1);
  health.probe_says(0, true, 3 * second);
  CHECK(health.state(0, 3 * second) == State::down);
  health.probe_says(0, false, 4 * second);
  health.agent_says(0, true, 5 * second);
  CHECK(health.state(0, 5 * second) == State::down);  // for its probes
  health.probe_says(0, true, 6 * second);
  CHECK(health.state(0, 6 * second) == State::up);
}

TEST_CASE("health: of the operator's word and the agent's the stricter one counts") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  health.set_agents_word(0, Word::drain);
  CHECK(health.state(0, second) == State::draining);
  health.set_word(0, Word::maintenance);
  CHECK(health.state(0, second) == State::maintenance);
  health.set_agents_word(0, Word::ready);
  CHECK(health.state(0, second) == State::maintenance);
  CHECK(health.server(0).operators_word() == Word::maintenance);
  health.set_word(0, Word::drain);
  health.set_agents_word(0, Word::maintenance);
  CHECK(health.state(0, second) == State::maintenance);
  health.set_word(0, Word::ready);
  health.set_agents_word(0, Word::ready);
  const uint32_t before = health.version();
  health.set_agents_word(0, Word::ready);
  CHECK(health.version() == before);  // nothing new
  CHECK(health.state(0, second) == State::up);
}

TEST_CASE("health: an agent's percentage of the weight") {
  config::Pool pool = pool_of(3);
  pool.servers[1].weight = 1;
  pool.servers[2].weight = 0;
  PoolHealth health(pool);
  for (uint32_t index = 0; index < 3; index++) health.set_agents_percent(index, 75);
  CHECK(health.weight(0, second) == 75 * 256);
  CHECK(health.weight(1, second) == 192);
  CHECK(health.weight(2, second) == 0);
  for (uint32_t index = 0; index < 3; index++) health.set_agents_percent(index, 25'600);
  CHECK(health.weight(0, second) == 256 * 256);
  CHECK(health.weight(1, second) == 256 * 256);
  CHECK(health.weight(2, second) == 0);
  health.set_agents_percent(0, 0);
  CHECK(health.weight(0, second) == 0);
  CHECK_FALSE(health.takes_new(0));
  CHECK(health.keeps_operations(0, second));
  health.set_agents_percent(0, 100);
  CHECK(health.weight(0, second) == 100 * 256);
}

TEST_CASE("streak: so many in a row are believed, and only what contradicts counts") {
  Streak streak;
  CHECK_FALSE(streak.says(true, true, 2));
  CHECK_FALSE(streak.changing());
  CHECK_FALSE(streak.says(false, true, 2));
  CHECK(streak.changing());
  CHECK_FALSE(streak.says(true, true, 2));
  CHECK_FALSE(streak.changing());
  CHECK_FALSE(streak.says(false, true, 2));
  CHECK(streak.says(false, true, 2));
  CHECK_FALSE(streak.changing());
  CHECK_FALSE(streak.says(false, false, 2));
  CHECK(streak.says(true, false, 1));
  // A connect that failed puts it out in between: what was counted was against something else.
  CHECK_FALSE(streak.says(false, true, 3));
  CHECK_FALSE(streak.says(false, true, 3));
  CHECK_FALSE(streak.says(true, false, 2));
  CHECK(streak.says(true, false, 2));
}

TEST_CASE("health: a slot without an address gets nothing, and is no part of the pool") {
  const config::Pool pool = pool_of(4);
  PoolHealth health(pool);
  for (const uint32_t slot : {2, 3}) health.begin_absent(slot);
  CHECK(health.present_count() == 2);
  CHECK(health.state(2, 1) == State::absent);
  CHECK(health.weight(2, second) == 0);
  CHECK_FALSE(health.keeps_operations(2, second));
  CHECK_FALSE(health.takes_new(2));
  // One of two is not so few that no judgement counts.
  health.report(0, Outcome::unreachable, second);
  CHECK_FALSE(health.panics(second));
  health.report(1, Outcome::unreachable, second);
  CHECK(health.panics(second));
}

TEST_CASE("health: whose address leaves is drained, then absent; when it comes back it is known") {
  config::Pool pool = pool_of(2);
  pool.health.slow_start = config::Duration{8'000};
  PoolHealth health(pool);
  health.waited(1, Work::pack, 7'000'000, second);
  health.leave(1, second);
  CHECK(health.state(1, second) == State::draining);
  CHECK(health.weight(1, second) == 0);
  CHECK(health.keeps_operations(1, second + PoolHealth::leave_ns - 1));
  CHECK_FALSE(health.keeps_operations(1, second + PoolHealth::leave_ns));
  CHECK(health.state(1, second + PoolHealth::leave_ns) == State::absent);
  const uint32_t version = health.version();
  health.arrive(1, {.key = 5}, false, 60 * second);
  CHECK(health.version() != version);
  CHECK(health.state(1, 60 * second) == State::up);
  CHECK(health.server(1).first_byte_us(Work::pack) == 7000);
  CHECK(health.key(1) == 5);
  CHECK(health.weight(1, 60 * second) == 100 * 16);  // and rises
  CHECK(health.weight(1, 60 * second + config::ns(pool.health.slow_start)) == 100 * 256);
}

TEST_CASE("health: a new address in a slot starts without a history; what DNS says of it counts") {
  const config::Pool pool = pool_of(2);
  PoolHealth health(pool);
  for (uint32_t count = 0; count < pool.health.errors; count++) health.report(1, Outcome::error, second);
  health.waited(1, Work::pack, 7'000'000, second);
  health.set_word(1, Word::maintenance);
  health.set_weight(1, 7);
  health.leave(1, second);
  health.arrive(1, {.share = 64, .backup = true}, true, 2 * second);
  CHECK(health.state(1, 2 * second) == State::up);
  CHECK(health.server(1).first_byte_us(Work::pack) == 0);
  CHECK(health.configured_weight(1) == 25);
  CHECK(health.is_backup(1));
  CHECK_FALSE(health.is_backup(0));
  health.set_weight(1, 1);
  CHECK(health.configured_weight(1) == 1);  // a part of something is something
  health.set_weight(1, 0);
  CHECK(health.configured_weight(1) == 0);
}

TEST_CASE("health: since when a server is in its state") {
  const config::Pool pool = pool_of(3);
  PoolHealth health(pool);
  CHECK(health.state_since_ns(0, second) == 0);
  health.report(0, Outcome::unreachable, 2 * second);
  CHECK(health.state_since_ns(0, 3 * second) == 2 * second);
  CHECK(health.state_since_ns(0, 7 * second) == 7 * second);  // it was out for five
  CHECK(health.state_since_ns(0, 9 * second) == 7 * second);
  health.set_word(0, Word::drain, 10 * second);
  CHECK(health.state_since_ns(0, 11 * second) == 10 * second);
  health.set_word(0, Word::ready, 12 * second);
  CHECK(health.state_since_ns(0, 13 * second) == 12 * second);
  health.set_word(0, Word::ready, 14 * second);  // nothing new
  CHECK(health.state_since_ns(0, 15 * second) == 12 * second);
  CHECK(health.state_since_ns(1, 13 * second) == 0);
  health.set_agents_word(1, Word::maintenance, 16 * second);
  CHECK(health.state_since_ns(1, 17 * second) == 16 * second);
  health.leave(2, 18 * second);
  CHECK(health.state_since_ns(2, 19 * second) == 18 * second);
  health.arrive(2, {}, true, 20 * second);
  CHECK(health.state_since_ns(2, 21 * second) == 20 * second);
}
