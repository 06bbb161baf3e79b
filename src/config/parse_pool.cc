// [pool.NAME]: servers that are alike, and how they are treated.
#include "base/assert.h"
#include "config/message.h"
#include "config/parse.h"
#include "config/probe.h"
#include "config/server.h"
#include "config/tables.h"

namespace breakwater::config {
namespace {

class PoolReader {
 public:
  PoolReader(Reader& reader, std::string_view name)
      : reader_(reader), title_("[pool." + std::string(name) + "]") {
    pool_.name = name;
  }

  void read(const toml::key& key, const toml::table& table);

 private:
  // Each is true if the value is good.
  bool read_key(std::string_view name, const toml::node& node);
  bool read_servers(const toml::node& node);
  bool read_server(const toml::node& node);
  bool read_probe(const toml::node& node);
  bool read_sticky(const toml::node& node);
  bool read_tls_name(const toml::node& node);

  Reader& reader_;
  const std::string title_;
  Pool pool_;
};

void PoolReader::read(const toml::key& key, const toml::table& table) {
  Draft& draft = reader_.draft;
  KeyOrigins origins;
  reader_.each_key(table, title_, pool_keys, [&](std::string_view name, const toml::node& node) {
    const bool good = read_key(name, node);
    origins[name] = origin_of(node, good);
  });
  if (!origins.contains("servers") && draft.complete)
    reader_.report(key, title_ + " has no `servers`", "for example servers = [\"10.0.0.11:3000\"]");
  draft.config.pools.push_back(std::move(pool_));
  draft.origins.pools.push_back(std::move(origins));
}

bool PoolReader::read_key(std::string_view name, const toml::node& node) {
  if (name == "servers") return read_servers(node);
  if (name == "probe") return read_probe(node);
  if (name == "sticky") return read_sticky(node);
  if (name == "tls_name") return read_tls_name(node);
  std::optional<bool> good;
  const auto one = [&](const auto& key, auto& owner) {
    if (key.name == name) good = reader_.read(node, key, title_, owner);
  };
  const auto among = [&](const auto& keys, auto& owner) {
    for (const auto& key : keys) one(key, owner);
  };
  one(kind_key, pool_);
  one(balance_key, pool_);
  one(framing_key, pool_);
  one(retries_key, pool_);
  among(pool_flag_keys, pool_);
  among(pool_timeout_keys, pool_.timeouts);
  among(probe_duration_keys, pool_.probe);
  among(probe_count_keys, pool_.probe);
  among(agent_duration_keys, pool_.agent);
  among(agent_count_keys, pool_.agent);
  among(health_duration_keys, pool_.health);
  among(health_count_keys, pool_.health);
  among(health_percent_keys, pool_.health);
  among(admission_count_keys, pool_.admission);
  among(admission_duration_keys, pool_.admission);
  one(sticky_key_file_key, pool_.sticky);
  one(sticky_secure_key, pool_.sticky);
  one(sticky_max_age_key, pool_.sticky);
  among(server_tls_flag_keys, pool_.tls);
  among(server_tls_path_keys, pool_.tls);
  BW_ASSERT(good.has_value());  // pool_keys has no other
  return *good;
}

bool PoolReader::read_servers(const toml::node& node) {
  const toml::array* const array =
      reader_.array(node, "servers", title_, "\"host:port\"", servers_per_pool_max);
  if (array == nullptr) return false;
  if (array->empty()) reader_.report(node, "`servers` in " + title_ + " must name at least one server");
  bool good = !array->empty();
  for (const toml::node& item : *array) good = read_server(item) && good;
  const auto gets_nothing = [](const Server& server) { return server.weight == 0; };
  if (good && std::all_of(pool_.servers.begin(), pool_.servers.end(), gets_nothing)) {
    reader_.report(node, "`servers` in " + title_ + " all have the weight 0, so that none gets requests");
    return false;
  }
  if (good && slots_of(pool_) > slots_per_pool_max) {
    reader_.report(node,
                   "`servers` in " + title_ + " may have " + std::to_string(slots_of(pool_)) +
                       " addresses, more than " + std::to_string(slots_per_pool_max),
                   "a name has 8 unless slots=N stands behind it");
    return false;
  }
  return good;
}

bool PoolReader::read_server(const toml::node& node) {
  const std::string* const text = reader_.text(node, "servers", title_, "\"host:port\"");
  if (text == nullptr) return false;
  Server server;
  std::string why;
  const auto is_same = [&](const Server& other) { return same_server(server.address, other.address); };
  if (!parse_server(*text, server, why)) {
    reader_.report(node, in_quotes(*text) + " in `servers` of " + title_ + " is not a server: " + why);
  } else if (std::any_of(pool_.servers.begin(), pool_.servers.end(), is_same)) {
    reader_.report(node, "server " + in_quotes(*text) + " stands in `servers` of " + title_ + " twice");
  } else {
    reader_.draft.servers.push_back({pool_.name, server.address, place_of(node)});
    pool_.servers.push_back(std::move(server));
    return true;
  }
  return false;
}

bool PoolReader::read_probe(const toml::node& node) {
  const std::string* const text =
      reader_.text(node, "probe", title_, "\"tcp\", \"http /path\", \"git /owner/repo.git\" or \"off\"");
  if (text == nullptr) return false;
  std::string why;
  if (parse_probe(*text, pool_.probe, why)) return true;
  reader_.report(node, "`probe` in " + title_ + " can't be " + in_quotes(*text) + ": " + why);
  return false;
}

bool PoolReader::read_sticky(const toml::node& node) {
  const std::string* const text = reader_.text(node, "sticky", title_, "a cookie's name, or \"off\"");
  if (text == nullptr) return false;
  if (*text == "off") return true;
  const auto is_plain = [](char byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           byte == '-' || byte == '_' || byte == '.';
  };
  if (!text->empty() && text->size() <= cookie_name_bytes_max &&
      std::all_of(text->begin(), text->end(), is_plain)) {
    pool_.sticky.cookie = *text;
    return true;
  }
  reader_.report(node, "`sticky` in " + title_ + " can't be " + in_quotes(*text) +
                           ": a cookie's name is 1 to " + std::to_string(cookie_name_bytes_max) +
                           " letters, digits, '-', '_' or '.'");
  return false;
}

bool PoolReader::read_tls_name(const toml::node& node) {
  const std::string* const text =
      reader_.text(node, "tls_name", title_, "a host's name, as certificates have it");
  if (text == nullptr) return false;
  Endpoint endpoint;
  std::string why;
  if (parse_endpoint(*text + ":1", endpoint, why) && endpoint.host == *text && !text->empty()) {
    pool_.tls.name = *text;
    return true;
  }
  reader_.report(node,
                 "`tls_name` in " + title_ + " can't be " + in_quotes(*text) + ": it is no name of a host");
  return false;
}

}  // namespace

void read_pool(Reader& reader, const toml::key& key, const toml::table& table) {
  PoolReader(reader, key.str()).read(key, table);
}

}  // namespace breakwater::config
