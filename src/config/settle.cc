#include "config/settle.h"

#include <algorithm>

#include "config/kind.h"
#include "config/message.h"
#include "config/order.h"
#include "config/schema.h"

namespace breakwater::config {
namespace {

// One pool with what is known of its keys.
struct PoolDraft {
  Draft& draft;
  Pool& pool;
  KeyOrigins& origins;
  TableDraft table() const { return {draft, "[pool." + pool.name + "]", origins}; }
};

// Its own keys are there already; what [timeouts] says comes next, then the kind, then the defaults.
void take_timeouts(const PoolDraft& in) {
  const KeyOrigins& general = in.draft.origins.timeouts;
  for (const auto& key : pool_timeout_keys) {
    if (in.origins.contains(key.name)) continue;
    in.pool.timeouts.*key.member = in.draft.config.timeouts.*key.member;
    const auto origin = general.find(key.name);
    if (origin != general.end()) in.origins.insert(*origin);
  }
}

void take_kind(const PoolDraft& in) {
  for (const KindFact& fact : facts_of(in.pool.kind)) {
    const bool is_free = in.origins.insert({fact.key, {Origin::From::kind, {}}}).second;
    if (is_free) set_fact(in.pool, fact.key);
  }
}

void check_orders(const PoolDraft& in) {
  const TableDraft table = in.table();
  check_order(table, in.pool.probe, key_of(probe_duration_keys, "probe_fast_interval"),
              key_of(probe_duration_keys, "probe_interval"));
  check_order(table, in.pool.health, key_of(health_duration_keys, "eject_time"),
              key_of(health_duration_keys, "eject_time_max"));
}

// Without a word on how to probe, keys that say how often look as if there were probes.
void check_probe_keys(const PoolDraft& in) {
  if (in.origins.contains("probe") || is_wrong(in.origins, "kind")) return;
  for (const auto& [name, origin] : in.origins)
    if (name.starts_with("probe_") && origin.from == Origin::From::file)
      report_unused(in.table(), name, "a `probe`", "add probe = \"tcp\", or the `kind` of the servers");
}

// An agent listens on a port of the server's host.
void check_agent_keys(const PoolDraft& in) {
  const auto port = in.origins.find("agent_port");
  if (port == in.origins.end()) return report_unused(in.table(), "agent_interval", "an `agent_port`");
  const auto has_no_host = [](const Server& server) { return !server.address.path.empty(); };
  const auto& servers = in.pool.servers;
  const auto first = std::find_if(servers.begin(), servers.end(), has_no_host);
  if (in.pool.agent.port != 0 && first != servers.end())
    in.draft.report(port->second.place, "`agent_port` in [pool." + in.pool.name +
                                            "] needs servers with a host, but " +
                                            in_quotes(first->address.text()) + " has none");
}

// It is the floor below a ceiling.
void check_adaptive(const PoolDraft& in) {
  const config::Admission& limits = in.pool.admission;
  const auto least = in.origins.find("adaptive_min");
  if (limits.adaptive_min <= limits.operations || is_wrong(in.origins, "max_operations")) return;
  const bool has_ceiling = limits.operations != 0;
  in.draft.report(
      least->second.place,
      "`adaptive_min` in [pool." + in.pool.name + "] is " + std::to_string(limits.adaptive_min) +
          (has_ceiling ? ", more than the " + std::to_string(limits.operations) + " of `max_operations`"
                       : ", but there is no `max_operations` that could adapt"),
      has_ceiling ? "" : "max_operations is the most that it may become");
}

// A clone is never refused, so without a queue its limit would limit nothing.
void check_admission(const PoolDraft& in) {
  const auto clones = in.origins.find("max_clones"), queue = in.origins.find("queue");
  if (in.pool.admission.clones == 0 || in.pool.admission.queue != 0 || is_wrong(in.origins, "queue")) return;
  in.draft.report(clones->second.place,
                  "`max_clones` in [pool." + in.pool.name + "] needs a `queue`, which line " +
                      std::to_string(queue->second.place.line) + " switches off",
                  "a clone is never refused: it waits, and then begins");
}

// Without a cookie, keys that say how it is made look as if there were one.
void check_sticky_keys(const PoolDraft& in) {
  const auto sticky = in.origins.find("sticky");
  if (sticky == in.origins.end()) {
    for (const auto& [name, origin] : in.origins)
      if (name.starts_with("sticky_"))
        report_unused(in.table(), name, "a `sticky`", "add sticky = \"SERVERID\"");
    return;
  }
  const std::string& cookie = in.pool.sticky.cookie;
  if ((cookie.starts_with("__Host-") || cookie.starts_with("__Secure-")) && !in.pool.sticky.secure)
    in.draft.report(sticky->second.place,
                    "browsers take a cookie called " + in_quotes(cookie) + " over TLS only",
                    "add sticky_secure = true, or choose another name");
}

// Keys that would do nothing, and servers whose certificates could be for no name.
void check_tls_keys(const PoolDraft& in) {
  const TableDraft table = in.table();
  if (!in.pool.tls.on) {
    if (is_wrong(in.origins, "tls")) return;
    for (const auto& [name, origin] : in.origins)
      if (name.starts_with("tls_")) report_unused(table, name, "`tls`", "add tls = true");
    return;
  }
  if (!in.pool.tls.verifies) {
    for (const std::string_view key : {"tls_ca", "tls_crl"}) report_unused(table, key, "`tls_verify`");
    return;
  }
  const auto has_no_host = [](const Server& server) { return server.address.host.empty(); };
  const auto& servers = in.pool.servers;
  const auto first = std::find_if(servers.begin(), servers.end(), has_no_host);
  if (in.pool.tls.name.empty() && first != servers.end())
    in.draft.report(in.origins.at("tls").place,
                    "the certificate of " + in_quotes(first->address.text()) + " in " + table.title +
                        " could be for any name",
                    "add the `tls_name` that it is for");
}

}  // namespace

void settle_pools(Draft& draft) {
  for (size_t index = 0; index < draft.config.pools.size(); ++index) {
    const PoolDraft in{draft, draft.config.pools[index], draft.origins.pools[index]};
    check_orders(in);
    take_timeouts(in);
    take_kind(in);
    if (!draft.complete) continue;
    check_probe_keys(in);
    check_agent_keys(in);
    check_adaptive(in);
    check_admission(in);
    check_sticky_keys(in);
    check_tls_keys(in);
  }
}

}  // namespace breakwater::config
