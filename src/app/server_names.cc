#include "app/server_names.h"

namespace breakwater::app {

namespace {

// While one address of a name gives way to another, both are there, and neither is marked as one of several.
bool is_taken(const std::vector<NamedServer>& servers, std::string_view name) {
  for (const NamedServer& server : servers)
    if (server.name == name) return true;
  return false;
}

}  // namespace

std::vector<NamedServer> servers_of(const proxy::SharedPool& pool, int64_t now_ns) {
  std::vector<NamedServer> servers;
  for (uint32_t index = 0; index < pool.health.size(); index++) {
    const proxy::Server& server = pool.servers[index];
    if (pool.health.state(index, now_ns) == backends::State::absent || server.at() == nullptr) continue;
    const std::string_view label = server.label();
    servers.push_back({index, is_taken(servers, label) ? std::string_view(server.at()->label) : label});
  }
  return servers;
}

}  // namespace breakwater::app
