#include "config/whole.h"

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "config/message.h"
#include "config/nearest.h"
#include "config/parse.h"
#include "config/settle.h"

namespace breakwater::config {
namespace {

template <typename Table>
std::vector<std::string_view> names_of(const std::vector<Table>& tables) {
  std::vector<std::string_view> names;
  for (const Table& table : tables) names.push_back(table.name);
  return names;
}

void check_presence(Draft& draft) {
  if (!draft.listens.seen)
    draft.report({}, "there is no listener", "add [listen.git] with bind = \"0.0.0.0:8080\"");
  if (!draft.pools.seen)
    draft.report({}, "there is no pool of servers", "add [pool.git] with servers = [\"10.0.0.11:3000\"]");
}

// `table` is "pool", and `all` is how several of them are called.
void check_names(Draft& draft, const std::vector<Reference>& references, const std::string& table,
                 const std::string& all, const std::vector<std::string_view>& names) {
  for (const Reference& reference : references) {
    if (std::find(names.begin(), names.end(), reference.name) != names.end()) continue;
    const std::string_view near = nearest(reference.name, names);
    const bool no_guess = near.empty() && !names.empty();
    draft.report(reference.place,
                 "there is no [" + table + "." + shown(reference.name) + "] for " + reference.from,
                 no_guess ? all + " are " + joined(names) : did_you_mean(near));
  }
}

void check_pools(Draft& draft) {
  if (!draft.pools.seen || !draft.pools.whole) return;  // reported there; more would be noise
  const std::vector<std::string_view> names = names_of(draft.config.pools);
  check_names(draft, draft.pool_references, "pool", "pools", names);
  for (const auto& [index, place] : draft.listens_without_pool) {
    Listen& listen = draft.config.listens[index];
    if (names.size() == 1)
      listen.pool = names.front();
    else if (!names.empty())
      draft.report(place, "[listen." + listen.name + "] has no `pool`, and there are several",
                   "pools are " + joined(names));
  }
}

void check_listens_of_routes(Draft& draft) {
  if (!draft.listens.seen || !draft.listens.whole) return;
  check_names(draft, draft.listen_references, "listen", "listeners", names_of(draft.config.listens));
}

// Of two routes for the same requests one would never be taken.
void check_routes_differ(Draft& draft) {
  std::map<std::tuple<std::string, std::string, std::string>, std::pair<const Route*, Place>> seen;
  for (const auto& [index, place] : draft.route_places) {
    const Route& route = draft.config.routes[index];
    std::string path = route.path;
    if (path.ends_with('/')) path.pop_back();  // as the router has it
    const auto [first, is_new] = seen.insert({{route.listen, route.host, path}, {&route, place}});
    if (is_new) continue;
    const auto& [other, where] = first->second;
    draft.report(place, "[route." + route.name + "] is for the same requests as [route." + other->name +
                            "] in line " + std::to_string(where.line));
  }
}

void check_binds(Draft& draft) {
  std::vector<Bind>& binds = draft.binds;
  std::sort(binds.begin(), binds.end(), [](const Bind& a, const Bind& b) {
    return std::pair(a.place.line, a.place.column) < std::pair(b.place.line, b.place.column);
  });
  for (auto later = binds.begin(); later != binds.end(); ++later) {
    const auto first = std::find_if(
        binds.begin(), later, [&](const Bind& other) { return overlap(other.endpoint, later->endpoint); });
    if (first == later) continue;
    const bool is_same = same_bind(first->endpoint, later->endpoint);
    draft.report(later->place,
                 later->from + " binds " + later->endpoint.text() + ", which " + first->from + " in line " +
                     std::to_string(first->place.line) +
                     (is_same ? " already binds" : " already takes a part of"),
                 is_same ? "" : "any address has all of this machine's; write each, or take another port");
  }
}

bool sends_to(const Config& config, const Listen& listen, const std::string& pool) {
  if (!listen.redirect.empty()) return false;
  return listen.pool == pool ||
         std::any_of(config.routes.begin(), config.routes.end(), [&](const Route& route) {
           return route.pool == pool && (route.listen.empty() || route.listen == listen.name);
         });
}

// A server that is one of the listeners in front of it.
void check_loops(Draft& draft) {
  for (const PlacedServer& server : draft.servers) {
    for (const Listen& listen : draft.config.listens) {
      if (!leads_back(server.address, listen.bind) || !sends_to(draft.config, listen, server.pool)) continue;
      draft.report(server.place,
                   "the server " + server.address.text() + " of [pool." + server.pool + "] is [listen." +
                       listen.name + "] itself, so that requests would go round in circles",
                   "which port has the Git server?");
      break;
    }
  }
}

}  // namespace

void check_whole(Draft& draft) {
  check_binds(draft);
  check_routes_differ(draft);
  settle_pools(draft);
  if (!draft.complete) return;
  check_presence(draft);
  check_pools(draft);
  check_listens_of_routes(draft);
  check_loops(draft);
}

}  // namespace breakwater::config
