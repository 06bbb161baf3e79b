#include "config/reader.h"

#include <algorithm>
#include <span>

#include "config/message.h"

namespace breakwater::config {

std::string_view table_with_key(std::string_view name) {
  const auto among = [name](std::span<const std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), name) != keys.end();
  };
  if (among(names_of(timeout_keys)) || name == client_pace_key.name) return "[timeouts]";
  if (among(names_of(limit_count_keys))) return "[limits]";
  if (among(names_of({head_bytes_key, target_bytes_key, body_bytes_key}))) return "[limits]";
  if (among(process_keys)) return "[process]";
  if (among(names_of(dns_duration_keys))) return "[dns]";
  if (among(log_keys)) return "[log]";
  if (among(pool_keys)) return "[pool.NAME]";
  if (among(listen_keys)) return "[listen.NAME]";
  if (among(route_keys)) return "[route.NAME]";
  return {};
}

std::optional<Endpoint> Reader::bind(const toml::node& node, std::string_view key, const std::string& title,
                                     ParseEndpoint parse) {
  const std::string* const address = text(node, key, title, "\"host:port\"");
  if (address == nullptr) return std::nullopt;
  Endpoint endpoint;
  std::string why;
  if (parse(*address, endpoint, why)) return endpoint;
  report(node, ticked(key) + " in " + title + " can't be " + in_quotes(*address) + ": " + why);
  return std::nullopt;
}

}  // namespace breakwater::config
