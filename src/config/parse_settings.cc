// [timeouts], [limits], [dns], [log] and [process]: what holds for all listeners and pools.
#include "config/message.h"
#include "config/order.h"
#include "config/parse.h"
#include "config/server.h"
#include "config/tables.h"
#include "config/units.h"

namespace breakwater::config {

void read_timeouts(Reader& reader, const toml::table& table) {
  const std::string title = "[timeouts]";
  Timeouts& timeouts = reader.draft.config.timeouts;
  KeyOrigins& origins = reader.draft.origins.timeouts;
  std::vector<std::string_view> known = names_of(timeout_keys);
  known.push_back(client_pace_key.name);
  reader.each_key(table, title, known, [&](std::string_view name, const toml::node& node) {
    if (name == client_pace_key.name) {
      const auto pace = reader.size(node, client_pace_key, title);
      timeouts.client_pace = pace.value_or(timeouts.client_pace);
      origins[client_pace_key.name] = origin_of(node, pace.has_value());
      return;
    }
    const auto& key = key_of(timeout_keys, name);
    origins[key.name] = origin_of(node, reader.read(node, key, title, timeouts));
  });
}

void read_limits(Reader& reader, const toml::table& table) {
  const std::string title = "[limits]";
  std::vector<std::string_view> known{head_bytes_key.name, target_bytes_key.name, body_bytes_key.name};
  for (const auto& key : limit_count_keys) known.push_back(key.name);
  Limits& limits = reader.draft.config.limits;
  const toml::node* target = nullptr;
  reader.each_key(table, title, known, [&](std::string_view name, const toml::node& node) {
    for (const auto& key : limit_count_keys)
      if (key.name == name) reader.read(node, key, title, limits);
    if (name == head_bytes_key.name)
      limits.head_bytes = reader.size(node, head_bytes_key, title).value_or(limits.head_bytes);
    if (name == body_bytes_key.name)
      limits.body_bytes = reader.size(node, body_bytes_key, title).value_or(limits.body_bytes);
    if (name == target_bytes_key.name)
      if (const auto bytes = reader.size(node, target_bytes_key, title)) {
        limits.target_bytes = *bytes;
        target = &node;
      }
  });
  if (limits.target_bytes <= limits.head_bytes) return;
  // A target is part of its head. One that was asked for is an error; the default gives way.
  if (target != nullptr && reader.draft.complete)
    reader.report(*target, "`target_bytes` in [limits] is " + format_size(limits.target_bytes) +
                               ", more than the " + format_size(limits.head_bytes) +
                               " of `head_bytes` that hold it");
  limits.target_bytes = limits.head_bytes;
}

namespace {

void read_resolvers(Reader& reader, const toml::node& node) {
  const std::string title = "[dns]";
  const toml::array* const array = reader.array(node, "servers", title, "\"ip:port\"", dns_servers_max);
  if (array == nullptr) return;
  for (const toml::node& item : *array) {
    const std::string* const text = reader.text(item, "servers", title, "\"ip:port\"");
    if (text == nullptr) continue;
    Endpoint endpoint;
    std::string why;
    const bool parsed = parse_endpoint(*text, endpoint, why);
    if (parsed && is_name(endpoint)) why = "a resolver is an IP address, which needs no resolver";
    if (parsed && endpoint.port == 0) why = "it needs a port other than 0";
    if (why.empty())
      reader.draft.config.dns.servers.push_back(std::move(endpoint));
    else
      reader.report(item, in_quotes(*text) + " in `servers` of [dns] is not a resolver: " + why);
  }
}

}  // namespace

void read_dns(Reader& reader, const toml::table& table) {
  Draft& draft = reader.draft;
  Dns& dns = draft.config.dns;
  KeyOrigins& origins = draft.origins.dns;
  reader.each_key(table, "[dns]", dns_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "servers") return read_resolvers(reader, node);
    const auto& key = key_of(dns_duration_keys, name);
    origins[key.name] = origin_of(node, reader.read(node, key, "[dns]", dns));
  });
  check_order({draft, "[dns]", origins}, dns, key_of(dns_duration_keys, "min_ttl"),
              key_of(dns_duration_keys, "max_ttl"));
}

void read_log(Reader& reader, const toml::key& table_key, const toml::table& table) {
  const std::string title = "[log]";
  Log& log = reader.draft.config.log;
  const toml::node* path = nullptr;
  bool target_seen = false, target_good = true;
  reader.each_key(table, title, log_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "path") {
      path = &node;
      log.path = reader.path(node, name, title).value_or("");
      return;
    }
    target_seen = true;
    const auto* const text = node.as_string();
    const bool is_path = text != nullptr && text->get().find('/') != std::string::npos;
    const std::string hint = is_path ? "write target = \"file\" and path = " + in_quotes(text->get()) : "";
    const auto target = reader.word<Log::Target>(node, name, title, log_targets, hint);
    target_good = target.has_value();
    log.target = target.value_or(log.target);
  });
  if (!reader.draft.complete || !target_good) return;
  const bool to_file = log.target == Log::Target::file;
  if (to_file && path == nullptr)
    reader.report(table_key, "[log] has target = \"file\" but no `path`",
                  "for example path = \"/var/log/breakwater.log\"");
  if (!to_file && path != nullptr)
    reader.report(*path, "`path` in [log] is only used with target = \"file\"",
                  target_seen ? "" : "add target = \"file\", or leave the path out");
}

void read_process(Reader& reader, const toml::table& table) {
  const std::string title = "[process]";
  Config& config = reader.draft.config;
  reader.each_key(table, title, process_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "cores") {
      const auto* const number = node.as_integer();
      const bool zero = number != nullptr && number->get() == 0;
      config.cores =
          reader.count(node, cores_rule, title, zero ? "leave it out to use every CPU" : "").value_or(0);
    } else if (name == "pin") {
      config.pin = reader.flag(node, name, title).value_or(true);
    } else if (name == "sandbox") {
      config.sandbox = reader.flag(node, name, title).value_or(true);
    } else {
      config.pid_file = reader.path(node, name, title).value_or("");
    }
  });
}

}  // namespace breakwater::config
