#include "app/servers_view.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "config/schema.h"
#include "tls/fault.h"

namespace breakwater::app {

using backends::State;
using nlohmann::ordered_json;

namespace {

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

double seconds(int64_t ns) {
  return rounded(static_cast<double>(std::max<int64_t>(ns, 0)) / 1e9);
}

std::string why_out(const backends::ServerHealth& server) {
  std::string reason(name(server.reason()));
  if (server.reason() != backends::Reason::probe) return reason;
  const backends::ProbeFailure failure = server.probe_failure();
  reason.append(": ").append(failure.text());
  if (failure.why == backends::ProbeFailure::Why::tls)
    reason.append(": ").append(tls::explain(static_cast<tls::FaultKind>(failure.number)));
  return reason;
}

std::string reason(const backends::PoolHealth& health, uint32_t index, State state) {
  const backends::ServerHealth& server = health.server(index);
  constexpr const char* gone = "DNS has its address no more";
  switch (state) {
    case State::absent:
      return gone;
    case State::draining:
      if (server.word() == backends::Word::ready) return gone;
      [[fallthrough]];
    case State::maintenance:
      return server.word() == server.operators_word() ? "an operator said so" : "its agent said so";
    case State::down:
    case State::ejected:
      return why_out(server);
    case State::slow:
      return std::string(name(backends::Reason::slow));
    case State::up:
      break;
  }
  if (health.takes_new(index)) return "";
  return server.said_weight() == 0 ? "its weight is 0" : "its agent gives it no weight";
}

ordered_json first_byte_ms(const backends::ServerHealth& server) {
  ordered_json averages;
  for (size_t index = 0; index < backends::works; index++) {
    const backends::Work work = static_cast<backends::Work>(index);
    const uint32_t us = server.first_byte_us(work);
    averages[std::string(name(work))] = us == 0 ? ordered_json() : ordered_json(us / 1000.0);
  }
  return averages;
}

ordered_json pool_row(const proxy::SharedPool& pool, const Moment& moment) {
  ordered_json row;
  row["name"] = pool.config.name;
  row["method"] = config::text_of(std::span<const config::Word<config::Balance>>(config::balance_words),
                                  pool.config.balance);
  row["panics"] = pool.health.panics(moment.now_ns);
  const uint32_t most = pool.admission.operations_limit();
  row["operations"] = pool.admission.inside();
  row["operations_limit"] = most == 0 ? ordered_json() : ordered_json(most);
  ordered_json& servers = row["servers"] = ordered_json::array();
  for (const NamedServer& server : servers_of(pool, moment.now_ns))
    servers.push_back(server_row(pool, server, moment));
  return row;
}

}  // namespace

ordered_json server_row(const proxy::SharedPool& pool, const NamedServer& named, const Moment& moment) {
  const uint32_t index = named.index;
  const backends::PoolHealth& health = pool.health;
  const backends::ServerHealth& server = health.server(index);
  const State state = health.state(index, moment.now_ns);
  const int64_t since_ns = health.state_since_ns(index, moment.now_ns);
  const int64_t left_ns = server.out_until_ns() - moment.now_ns;
  ordered_json row;
  row["name"] = named.name;
  row["address"] = pool.servers[index].at()->address.text();
  row["state"] = name(state);
  row["reason"] = reason(health, index, state);
  row["for_seconds"] = seconds(moment.now_ns - (since_ns == 0 ? moment.started_ns : since_ns));
  const bool is_out = state == State::ejected || state == State::down;
  row["back_in_seconds"] = is_out && left_ns > 0 ? ordered_json(seconds(left_ns)) : ordered_json();
  row["operator_says"] = name(server.operators_word());
  row["agent_says"] = name(server.agents_word());
  row["weight"] = server.said_weight();
  row["agent_percent"] = server.agents_percent();
  row["effective_weight"] = rounded(health.weight(index, moment.now_ns) / 256.0);
  row["backup"] = health.is_backup(index);
  row["in_flight"] = server.in_flight();
  const uint32_t most = health.places().limit(index);
  row["operations"] = health.places().taken(index);
  row["max"] = most == 0 ? ordered_json() : ordered_json(most);
  row["served"] = server.served();
  row["ejections"] = server.ejections();
  row["first_byte_ms"] = first_byte_ms(server);
  return row;
}

std::string servers_page(const std::deque<proxy::SharedPool>& pools, const Moment& moment) {
  ordered_json page;
  ordered_json& rows = page["pools"] = ordered_json::array();
  for (const proxy::SharedPool& pool : pools) rows.push_back(pool_row(pool, moment));
  return text_of(page);
}

std::string text_of(const ordered_json& json) {
  return json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace breakwater::app
