#include "app/server_metrics.h"

#include <string>
#include <vector>

#include "app/server_names.h"

namespace breakwater::app {

namespace {

using backends::State;

constexpr State states_shown[] = {State::up,       State::slow, State::ejected,
                                  State::draining, State::down, State::maintenance};

struct Row {
  const proxy::SharedPool& pool;
  NamedServer server;
};

// Of one moment, so that every family has the same servers.
std::vector<Row> rows_of(const std::deque<proxy::SharedPool>& pools, int64_t now_ns) {
  std::vector<Row> rows;
  for (const proxy::SharedPool& pool : pools)
    for (const NamedServer& server : servers_of(pool, now_ns)) rows.push_back({pool, server});
  return rows;
}

// "0.005", "1.0": as OpenMetrics wants bounds.
std::string seconds_text(int64_t ms) {
  return ms % 1000 == 0 ? fmt::format("{}.0", ms / 1000) : fmt::format("{}", static_cast<double>(ms) / 1000);
}

// In Prometheus' form: each bucket has all that is in those before it, too.
void write_waits(MetricsText& text, const std::deque<proxy::SharedPool>& pools) {
  const std::string_view name = "queue_wait_seconds";
  text.family(name, "histogram", "how long operations waited for a limit of their pool, refused or not");
  for (const proxy::SharedPool& pool : pools) {
    using backends::Waits;
    const std::string_view label = pool.config.name;
    uint64_t count = 0;
    for (size_t bucket = 0; bucket < Waits::buckets; bucket++) {
      count += pool.waits.count(bucket);
      const bool is_last = bucket == Waits::bounds_ms.size();
      const std::string bound = is_last ? "+Inf" : seconds_text(Waits::bounds_ms[bucket]);
      text.sample(name, "_bucket", {{"pool", label}, {"le", bound}}, count);
    }
    text.sample(name, "_sum", {{"pool", label}}, static_cast<double>(pool.waits.sum_us()) / 1e6);
    text.sample(name, "_count", {{"pool", label}}, count);
  }
}

class EachServer {
 public:
  EachServer(MetricsText& text, const std::vector<Row>& rows) : text_(text), rows_(rows) {}

  // One value for each server: value(its pool's health, its index).
  template <typename Value>
  void values(std::string_view name, std::string_view type, std::string_view help, Value value) {
    text_.family(name, type, help);
    for (const Row& row : rows_)
      text_.sample(name, type == "counter" ? "_total" : "",
                   {{"pool", row.pool.config.name}, {"server", row.server.name}},
                   value(row.pool.health, row.server.index));
  }

  void states(int64_t now_ns) {
    const std::string_view name = "server_state";
    text_.family(name, "gauge", "1 for the state that the server is in, 0 for the others");
    for (const Row& row : rows_) {
      const State now = row.pool.health.state(row.server.index, now_ns);
      for (const State state : states_shown)
        text_.sample(
            name, "",
            {{"pool", row.pool.config.name}, {"server", row.server.name}, {"state", backends::name(state)}},
            state == now ? 1 : 0);
    }
  }

  void first_bytes() {
    const std::string_view name = "server_first_byte_seconds";
    text_.family(name, "gauge", "average time to first byte, by class of work; absent while not known");
    for (const Row& row : rows_) {
      for (size_t index = 0; index < backends::works; index++) {
        const backends::Work work = static_cast<backends::Work>(index);
        const uint32_t us = row.pool.health.server(row.server.index).first_byte_us(work);
        if (us == 0) continue;
        text_.sample(
            name, "",
            {{"pool", row.pool.config.name}, {"server", row.server.name}, {"work", backends::name(work)}},
            us / 1e6);
      }
    }
  }

 private:
  MetricsText& text_;
  const std::vector<Row>& rows_;
};

}  // namespace

void write_server_metrics(MetricsText& text, const std::deque<proxy::SharedPool>& pools, int64_t now_ns) {
  using backends::PoolHealth;
  text.family("pool_panic", "gauge", "1 while so little of the pool is left that no judgement counts");
  for (const proxy::SharedPool& pool : pools)
    text.sample("pool_panic", "", {{"pool", pool.config.name}}, pool.health.panics(now_ns) ? 1 : 0);
  text.family("pool_operations", "gauge", "operations inside, in pools that have a limit");
  for (const proxy::SharedPool& pool : pools)
    text.sample("pool_operations", "", {{"pool", pool.config.name}}, pool.admission.inside());
  text.family("pool_operations_limit", "gauge",
              "`max_operations` as of now, which may adapt itself; 0: none");
  for (const proxy::SharedPool& pool : pools)
    text.sample("pool_operations_limit", "", {{"pool", pool.config.name}}, pool.admission.operations_limit());
  write_waits(text, pools);
  const std::vector<Row> rows = rows_of(pools, now_ns);
  EachServer each(text, rows);
  each.states(now_ns);
  each.values("server_in_flight", "gauge", "requests that the server has now",
              [](const PoolHealth& health, uint32_t server) { return health.server(server).in_flight(); });
  each.values("server_requests", "counter", "requests that the server had, attempts that failed among them",
              [](const PoolHealth& health, uint32_t server) { return health.server(server).served(); });
  each.values("server_ejections", "counter", "times the server was put out: down or ejected",
              [](const PoolHealth& health, uint32_t server) { return health.server(server).ejections(); });
  each.values("server_operations", "gauge",
              "operations that run on the server; counted where one of the pool has a max",
              [](const PoolHealth& health, uint32_t server) { return health.places().taken(server); });
  each.values("server_operations_max", "gauge", "how many may: its max, or what its agent said; 0: no limit",
              [](const PoolHealth& health, uint32_t server) { return health.places().limit(server); });
  each.values(
      "server_weight", "gauge",
      "its share of new operations next to the others': the weight, less while it is slow or just back",
      [&](const PoolHealth& health, uint32_t server) { return health.weight(server, now_ns) / 256.0; });
  each.first_bytes();
}

}  // namespace breakwater::app
