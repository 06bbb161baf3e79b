// [pool.NAME]: servers that are alike.
#include "config/message.h"
#include "config/server.h"
#include "config/tables.h"

namespace breakwater::config {
namespace {

void read_servers(Reader& reader, const toml::node& node, const std::string& title, Pool& pool) {
  const toml::array* const array =
      reader.array(node, "servers", title, "\"host:port\"", servers_per_pool_max);
  if (array == nullptr) return;
  if (array->empty()) reader.report(node, "`servers` in " + title + " must name at least one server");
  for (const toml::node& item : *array) {
    const std::string* text = reader.text(item, "servers", title, "\"host:port\"");
    if (text == nullptr) continue;
    Server server;
    std::string why;
    const auto is_same = [&](const Server& other) { return same_server(server.address, other.address); };
    if (!parse_server(*text, server, why))
      reader.report(item, in_quotes(*text) + " in `servers` of " + title + " is not a server: " + why);
    else if (std::any_of(pool.servers.begin(), pool.servers.end(), is_same))
      reader.report(item, "server " + in_quotes(*text) + " stands in `servers` of " + title + " twice");
    else
      pool.servers.push_back(std::move(server));
  }
}

}  // namespace

void read_pool(Reader& reader, const toml::key& key, const toml::table& table) {
  const std::string title = "[pool." + std::string(key.str()) + "]";
  Draft& draft = reader.draft;
  Pool pool;
  pool.name = key.str();
  bool servers_seen = false;
  reader.each_key(table, title, pool_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "servers") {
      servers_seen = true;
      read_servers(reader, node, title, pool);
    } else {
      reader.read(node, framing_key, title, pool);
    }
  });
  if (!servers_seen && draft.complete)
    reader.report(key, title + " has no `servers`", "for example servers = [\"10.0.0.11:3000\"]");
  draft.config.pools.push_back(std::move(pool));
}

}  // namespace breakwater::config
