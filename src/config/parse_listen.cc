// [listen.NAME] and [admin]: where clients come in.
#include "config/message.h"
#include "config/network.h"
#include "config/parse.h"
#include "config/tables.h"

namespace breakwater::config {
namespace {

void read_trusted(Reader& reader, const toml::node& node, const std::string& title, Listen& listen) {
  const toml::array* const array =
      reader.array(node, "trusted", title, "networks such as \"10.0.0.0/8\"", trusted_max);
  if (array == nullptr) return;
  for (const toml::node& item : *array) {
    const std::string* text = reader.text(item, "trusted", title, "a network such as \"10.0.0.0/8\"");
    if (text == nullptr) continue;
    std::string network, why;
    if (parse_network(*text, network, why))
      listen.trusted.push_back(std::move(network));
    else
      reader.report(item, in_quotes(*text) + " in `trusted` of " + title + ": " + why);
  }
}

std::optional<Endpoint> read_bind(Reader& reader, const toml::node& node, const std::string& title,
                                  Reader::ParseEndpoint parse) {
  std::optional<Endpoint> endpoint = reader.bind(node, "bind", title, parse);
  if (endpoint) reader.draft.binds.push_back({title, *endpoint, place_of(node)});
  return endpoint;
}

}  // namespace

void read_listen(Reader& reader, const toml::key& key, const toml::table& table) {
  const std::string title = "[listen." + std::string(key.str()) + "]";
  Draft& draft = reader.draft;
  Listen listen;
  listen.name = key.str();
  bool bind_seen = false, pool_seen = false;
  reader.each_key(table, title, listen_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "bind") {
      bind_seen = true;
      listen.bind = read_bind(reader, node, title, parse_endpoint).value_or(Endpoint{});
    } else if (name == "pool") {
      pool_seen = true;
      if (const std::string* text = reader.text(node, name, title, "the name of a pool")) {
        listen.pool = *text;
        draft.pool_references.push_back({title, *text, place_of(node)});
      }
    } else {
      read_trusted(reader, node, title, listen);
    }
  });
  if (!bind_seen && draft.complete)
    reader.report(key, title + " has no `bind`", "for example bind = \"0.0.0.0:8080\"");
  if (!pool_seen) draft.listens_without_pool.push_back({draft.config.listens.size(), place_of(key)});
  draft.config.listens.push_back(std::move(listen));
}

void read_admin(Reader& reader, const toml::key& key, const toml::table& table) {
  Config& config = reader.draft.config;
  bool bind_seen = false;
  reader.each_key(table, "[admin]", admin_keys, [&](std::string_view, const toml::node& node) {
    bind_seen = true;
    const std::optional<Endpoint> endpoint = read_bind(reader, node, "[admin]", parse_endpoint_or_socket);
    config.admin_enabled = endpoint.has_value();
    config.admin = endpoint.value_or(Endpoint{});
  });
  if (!bind_seen && reader.draft.complete)
    reader.report(key, "[admin] has no `bind`", "for example bind = \"127.0.0.1:9090\"");
}

}  // namespace breakwater::config
