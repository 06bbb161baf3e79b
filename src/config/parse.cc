// From TOML to a Config. toml++ reads the syntax; everything about our tables and keys is decided here. This
// is the only file that knows toml++, and the only one that may throw: parse_error and bad_alloc end in
// parse_toml().
#include "config/parse.h"

#include <algorithm>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "base/utf8.h"
#include "config/nearest.h"
#include "config/network.h"
#include "config/schema.h"
#include "config/units.h"

// toml++ asserts on some texts that are only malformed ("[`" is one), and with NDEBUG it assumes instead.
// Here a broken assertion of its own becomes an error of the file: see parse_toml().
struct TomlGaveUp {};
[[noreturn]] static void toml_gave_up() {
  throw TomlGaveUp{};
}
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : toml_gave_up())
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 8  // ours are two levels deep; toml++ recurses
#include <toml++/toml.h>

namespace breakwater::config {
namespace {

using namespace std::string_literals;

constexpr size_t shown_bytes_max = 48;  // of a user's text inside a message
constexpr unsigned dots_per_line_max = 8;

// ---- what goes into messages

// A user's text for a message: no control bytes, not endless.
std::string shown(std::string_view text, size_t bytes_max = shown_bytes_max) {
  std::string out;
  while (!text.empty()) {
    const size_t bytes = utf8_character_bytes(text);
    const std::string_view character = text.substr(0, std::max<size_t>(bytes, 1));
    if (out.size() + character.size() > bytes_max) return out + "...";
    if (bytes == 0 || utf8_is_control(character))
      out += '?';
    else
      out += character;
    text.remove_prefix(character.size());
  }
  return out;
}

std::string ticked(std::string_view name) {
  return "`" + shown(name) + "`";
}
std::string in_quotes(std::string_view text) {
  return "\"" + shown(text) + "\"";
}
std::string did_you_mean(std::string_view name) {
  return name.empty() ? "" : "did you mean `"s.append(name).append("`?");
}

std::string joined(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names.first(std::min<size_t>(names.size(), 8)))
    out.append(out.empty() ? "" : ", ").append(ticked(name));
  return names.size() > 8 ? out + ", ..." : out;
}

std::string found(const toml::node& node) {
  if (const auto* text = node.as_string()) return "the string " + in_quotes(text->get());
  if (const auto* number = node.as_integer()) return "the integer " + std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (node.is_floating_point()) return "a number with a fraction";
  if (node.is_array()) return "an array";
  if (node.is_table()) return "a table";
  return "a date or time";
}

std::string bounds(const DurationKey& key) {
  return format_duration(key.min) + " to " + format_duration(key.max) + (key.takes_off ? ", or \"off\"" : "");
}
std::string bounds(const SizeKey& key) {
  return format_size(key.min) + " to " + format_size(key.max) + (key.takes_off ? ", or \"off\"" : "");
}

// For a key in a table that doesn't have it: the table that does.
std::string_view table_with_key(std::string_view name) {
  const auto among = [name](std::span<const std::string_view> keys) {
    return std::find(keys.begin(), keys.end(), name) != keys.end();
  };
  for (const auto& key : timeout_keys)
    if (key.name == name) return "[timeouts]";
  for (const auto& key : limit_count_keys)
    if (key.name == name) return "[limits]";
  for (const auto& key : {head_bytes_key, target_bytes_key, body_bytes_key})
    if (key.name == name) return "[limits]";
  if (among(process_keys)) return "[process]";
  if (among(log_keys)) return "[log]";
  if (among(pool_keys)) return "[pool.NAME]";
  if (among(listen_keys)) return "[listen.NAME]";
  return {};
}

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), allowed);
}

// ---- TOML tables to values

struct Entry {
  const toml::key* key;
  const toml::node* node;
};

// toml++ keeps tables sorted by name; operators think in the order they wrote.
std::vector<Entry> in_file_order(const toml::table& table) {
  std::vector<Entry> entries;
  for (const auto& [key, node] : table) entries.push_back({&key, &node});
  const auto place = [](const Entry& entry) {
    const auto& begin = entry.key->source().begin;
    return std::pair(begin.line, begin.column);
  };
  std::sort(entries.begin(), entries.end(),
            [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
  return entries;
}

class Reader {
 public:
  // `complete` is false when the text ends early at a syntax error: then nothing is reported as missing.
  explicit Reader(bool complete) : complete_(complete) {}

  Config read(const toml::table& root);
  Problems take_problems() { return std::move(problems_); }

 private:
  struct Place {
    uint32_t line = 0, column = 0;
  };
  struct Reference {  // a listen's `pool`, checked when all pools are known
    size_t listen;
    Place place;
    bool written;
  };

  template <typename Handler>
  void each_named(const toml::node& node, std::string_view kind, size_t count_max, Handler handler);
  template <typename Handler>
  void each_key(const toml::table& table, const std::string& title, std::span<const std::string_view> known,
                Handler handler);

  void read_listen(const toml::key& key, const toml::table& table);
  void read_pool(const toml::key& key, const toml::table& table);
  void read_timeouts(const toml::table& table);
  void read_limits(const toml::table& table);
  void read_log(const toml::key& key, const toml::table& table);
  void read_admin(const toml::key& key, const toml::table& table);
  void read_process(const toml::table& table);
  void read_framing(const toml::node& node, std::string_view name, const std::string& title, Pool& pool);
  void read_servers(const toml::node& node, const std::string& title, Pool& pool);
  void read_trusted(const toml::node& node, const std::string& title, Listen& listen);
  void check_whole();
  void check_references();
  void check_binds();

  const toml::table* as_table(const toml::node& node, const std::string& title);
  const std::string* as_text(const toml::node& node, std::string_view key, const std::string& title,
                             std::string_view example);
  bool read_bind(const toml::node& node, std::string_view key, const std::string& title, Endpoint& endpoint);
  void read_duration(const toml::node& node, const DurationKey& key);
  std::optional<uint64_t> read_size(const toml::node& node, const SizeKey& key);
  std::optional<uint32_t> read_count(const toml::node& node, std::string_view key, const std::string& title,
                                     uint32_t min, uint32_t max);

  static Place place_of(const toml::source_region& region) {
    return {region.begin.line, region.begin.column};
  }
  void report(Place place, std::string message, std::string hint = "") {
    problems_.push_back({place.line, place.column, std::move(message), std::move(hint)});
  }
  void report(const toml::node& node, std::string message, std::string hint = "") {
    report(place_of(node.source()), std::move(message), std::move(hint));
  }
  void report(const toml::key& key, std::string message, std::string hint = "") {
    report(place_of(key.source()), std::move(message), std::move(hint));
  }

  bool complete_;
  Problems problems_;
  Config config_;
  std::vector<Reference> references_;                                      // one per listen that was read
  std::vector<std::pair<Place, std::pair<std::string, Endpoint>>> binds_;  // in file order; who, what
  bool listen_seen_ = false, pool_seen_ = false, pools_whole_ = true;
};

Config Reader::read(const toml::table& root) {
  for (const auto& [key, node] : in_file_order(root)) {
    const std::string_view name = key->str();
    const bool known =
        std::find(std::begin(table_names), std::end(table_names), name) != std::end(table_names);
    if (!known && !node->is_table()) {
      const std::string_view owner = table_with_key(name);
      report(*key, "unknown key " + ticked(name) + " outside of any table",
             owner.empty() ? did_you_mean(nearest(name, table_names)) : "it belongs in "s.append(owner));
      continue;
    }
    if (!known) {
      const std::string_view near = nearest(name, table_names);
      report(
          *key, "unknown table [" + shown(name) + "]",
          near.empty() ? "tables are " + joined(table_names) : "did you mean [" + std::string(near) + "]?");
      continue;
    }
    if (name == "listen") {
      each_named(*node, name, listens_max,
                 [this](const auto& k, const auto& table) { read_listen(k, table); });
    } else if (name == "pool") {
      each_named(*node, name, pools_max, [this](const auto& k, const auto& table) { read_pool(k, table); });
    } else if (const toml::table* table = as_table(*node, "[" + std::string(name) + "]")) {
      if (name == "timeouts") read_timeouts(*table);
      if (name == "limits") read_limits(*table);
      if (name == "log") read_log(*key, *table);
      if (name == "admin") read_admin(*key, *table);
      if (name == "process") read_process(*table);
    }
  }
  check_whole();
  return std::move(config_);
}

// [listen.NAME] and [pool.NAME]: `node` is what stands under `listen` or `pool`.
template <typename Handler>
void Reader::each_named(const toml::node& node, std::string_view kind, size_t count_max, Handler handler) {
  const std::string kind_text(kind);
  (kind == "listen" ? listen_seen_ : pool_seen_) = true;
  const toml::table* const tables = node.as_table();
  if (tables == nullptr) {
    if (kind == "pool") pools_whole_ = false;
    report(node, "expected tables named [" + kind_text + ".NAME], found " + found(node));
    return;
  }
  if (tables->empty() && complete_)
    report(node, "[" + kind_text + "] is empty", "give it a name, as in [" + kind_text + ".git]");
  size_t count = 0;
  for (const auto& [key, entry] : in_file_order(*tables)) {
    const std::string_view name = key->str();
    const toml::table* const table = entry->as_table();
    if (table == nullptr) {
      if (kind == "pool") pools_whole_ = false;
      report(*key, "expected a table [" + kind_text + "." + shown(name) + "], found " + found(*entry),
             "keys go into a table with a name, as in [" + kind_text + ".git]");
    } else if (!is_name(name)) {
      if (kind == "pool") pools_whole_ = false;
      report(*key, in_quotes(name) + " can't name a " + kind_text,
             "a name is 1 to " + std::to_string(name_bytes_max) + " letters, digits, `-` or `_`");
    } else if (++count > count_max) {
      if (kind == "pool") pools_whole_ = false;
      report(*key, "more than " + std::to_string(count_max) + " [" + kind_text + ".NAME] tables");
      return;
    } else {
      handler(*key, *table);
    }
  }
}

// Calls handler(key, name, node) for each key of `table` that is in `known`; the others are reported.
template <typename Handler>
void Reader::each_key(const toml::table& table, const std::string& title,
                      std::span<const std::string_view> known, Handler handler) {
  for (const auto& [key, node] : in_file_order(table)) {
    const std::string_view name = key->str();
    if (std::find(known.begin(), known.end(), name) != known.end()) {
      handler(*key, name, *node);
      continue;
    }
    const std::string_view near = nearest(name, known);
    const std::string_view owner = table_with_key(name);
    std::string hint = did_you_mean(near);
    if (near.empty())
      hint = owner.empty() ? "keys here are " + joined(known) : "it belongs in "s.append(owner);
    report(*key, "unknown " + (node->is_table() ? "table "s : "key "s) + ticked(name) + " in " + title,
           std::move(hint));
  }
}

void Reader::read_listen(const toml::key& key, const toml::table& table) {
  const std::string title = "[listen." + std::string(key.str()) + "]";
  Listen listen;
  listen.name = key.str();
  const Place head = place_of(key.source());
  Reference reference{config_.listens.size(), head, false};
  bool bind_seen = false;
  each_key(table, title, listen_keys,
           [&](const toml::key& own, std::string_view name, const toml::node& node) {
             if (name == "bind") {
               bind_seen = true;
               if (read_bind(node, name, title, listen.bind))
                 binds_.push_back({place_of(node.source()), {title, listen.bind}});
             } else if (name == "pool") {
               reference = {config_.listens.size(), place_of(node.source()), true};
               if (const std::string* text = as_text(node, own.str(), title, "the name of a pool"))
                 listen.pool = *text;
               else
                 reference.listen = SIZE_MAX;  // already reported
             } else {
               read_trusted(node, title, listen);
             }
           });
  if (!bind_seen && complete_) report(key, title + " has no `bind`", "for example bind = \"0.0.0.0:8080\"");
  if (reference.listen != SIZE_MAX) references_.push_back(reference);
  config_.listens.push_back(std::move(listen));
}

void Reader::read_pool(const toml::key& key, const toml::table& table) {
  const std::string title = "[pool." + std::string(key.str()) + "]";
  Pool pool;
  pool.name = key.str();
  bool servers_seen = false;
  each_key(table, title, pool_keys, [&](const toml::key&, std::string_view name, const toml::node& node) {
    if (name == "servers") {
      servers_seen = true;
      read_servers(node, title, pool);
    } else {
      read_framing(node, name, title, pool);
    }
  });
  if (!servers_seen && complete_)
    report(key, title + " has no `servers`", "for example servers = [\"10.0.0.11:3000\"]");
  config_.pools.push_back(std::move(pool));
}

void Reader::read_framing(const toml::node& node, std::string_view name, const std::string& title,
                          Pool& pool) {
  constexpr std::string_view words[] = {"chunked", "until-close", "auto"};
  constexpr UploadPackFraming values[] = {UploadPackFraming::chunked, UploadPackFraming::until_close,
                                          UploadPackFraming::automatic};
  const std::string choice = "\"chunked\", \"until-close\" or \"auto\"";
  const std::string* text = as_text(node, name, title, choice);
  if (text == nullptr) return;
  const auto* const word = std::find(std::begin(words), std::end(words), *text);
  if (word == std::end(words)) {
    report(node, ticked(name) + " in " + title + " must be " + choice + ", found " + in_quotes(*text),
           did_you_mean(nearest(*text, words)));
    return;
  }
  pool.upload_pack_framing = values[word - std::begin(words)];
}

void Reader::read_servers(const toml::node& node, const std::string& title, Pool& pool) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    report(node, "`servers` in " + title + " must be an array of \"host:port\", found " + found(node),
           node.is_string() ? "write servers = [" + in_quotes(node.as_string()->get()) + "]" : "");
    return;
  }
  if (array->empty()) report(node, "`servers` in " + title + " must name at least one server");
  if (array->size() > servers_per_pool_max) {
    report(node, "`servers` in " + title + " has " + std::to_string(array->size()) +
                     " entries; it may have " + std::to_string(servers_per_pool_max));
    return;
  }
  for (const toml::node& item : *array) {
    const std::string* text = as_text(item, "servers", title, "\"host:port\"");
    if (text == nullptr) continue;
    Endpoint server;
    std::string why;
    if (!parse_endpoint(*text, server, why)) {
      report(item, in_quotes(*text) + " in `servers` of " + title + " is not a server: " + why);
    } else if (server.host.empty() || server.port == 0) {
      report(item, in_quotes(*text) + " in `servers` of " + title + " is not a server: it needs a " +
                       (server.host.empty() ? "host" : "port other than 0"));
    } else if (std::any_of(pool.servers.begin(), pool.servers.end(),
                           [&](const Server& other) { return same_host_port(server, other.address); })) {
      report(item, "server " + in_quotes(*text) + " stands in `servers` of " + title + " twice");
    } else {
      pool.servers.push_back({.address = std::move(server)});
    }
  }
}

void Reader::read_trusted(const toml::node& node, const std::string& title, Listen& listen) {
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    report(node, "`trusted` in " + title + " must be an array of networks such as \"10.0.0.0/8\", found " +
                     found(node));
    return;
  }
  if (array->size() > trusted_max) {
    report(node, "`trusted` in " + title + " has " + std::to_string(array->size()) +
                     " entries; it may have " + std::to_string(trusted_max));
    return;
  }
  for (const toml::node& item : *array) {
    const std::string* text = as_text(item, "trusted", title, "a network such as \"10.0.0.0/8\"");
    if (text == nullptr) continue;
    std::string network, why;
    if (!parse_network(*text, network, why))
      report(item, in_quotes(*text) + " in `trusted` of " + title + ": " + why);
    else
      listen.trusted.push_back(std::move(network));
  }
}

void Reader::read_timeouts(const toml::table& table) {
  std::vector<std::string_view> known;
  for (const DurationKey& key : timeout_keys) known.push_back(key.name);
  each_key(table, "[timeouts]", known, [&](const toml::key&, std::string_view name, const toml::node& node) {
    for (const DurationKey& key : timeout_keys)
      if (key.name == name) read_duration(node, key);
  });
}

void Reader::read_limits(const toml::table& table) {
  std::vector<std::string_view> known{head_bytes_key.name, target_bytes_key.name, body_bytes_key.name};
  for (const CountKey& key : limit_count_keys) known.push_back(key.name);
  Limits& limits = config_.limits;
  const toml::node* target = nullptr;
  each_key(table, "[limits]", known, [&](const toml::key&, std::string_view name, const toml::node& node) {
    for (const CountKey& key : limit_count_keys)
      if (key.name == name)
        if (const auto count = read_count(node, name, "[limits]", key.min, key.max))
          limits.*key.member = *count;
    if (name == head_bytes_key.name)
      if (const auto bytes = read_size(node, head_bytes_key)) limits.head_bytes = *bytes;
    if (name == body_bytes_key.name)
      if (const auto bytes = read_size(node, body_bytes_key)) limits.body_bytes = *bytes;
    if (name == target_bytes_key.name)
      if (const auto bytes = read_size(node, target_bytes_key)) {
        limits.target_bytes = *bytes;
        target = &node;
      }
  });
  if (limits.target_bytes <= limits.head_bytes) return;
  // A target is part of its head. One that was asked for is an error; the default gives way.
  if (target != nullptr && complete_)
    report(*target, "`target_bytes` in [limits] is " + format_size(limits.target_bytes) + ", more than the " +
                        format_size(limits.head_bytes) + " of `head_bytes` that hold it");
  limits.target_bytes = limits.head_bytes;
}

void Reader::read_log(const toml::key& table_key, const toml::table& table) {
  const toml::node* path = nullptr;
  bool target_seen = false, target_good = true;
  each_key(table, "[log]", log_keys, [&](const toml::key&, std::string_view name, const toml::node& node) {
    if (name == "path") {
      path = &node;
      const std::string* text = as_text(node, name, "[log]", "the path of a file");
      if (text == nullptr) return;
      config_.log.path = *text;
      if (text->empty() || text->find('\0') != std::string::npos)
        report(node, "`path` in [log] is not the path of a file");
      return;
    }
    target_seen = true;
    target_good = false;
    const std::string* text = as_text(node, name, "[log]", "\"stdout\", \"file\" or \"off\"");
    if (text == nullptr) return;
    target_good = true;
    constexpr std::string_view targets[] = {"stdout", "file", "off"};
    if (*text == "stdout")
      config_.log.target = Log::Target::standard_output;
    else if (*text == "file")
      config_.log.target = Log::Target::file;
    else if (*text == "off")
      config_.log.target = Log::Target::off;
    else {
      target_good = false;
      std::string hint = did_you_mean(nearest(*text, targets));
      if (hint.empty() && text->find('/') != std::string::npos)
        hint = "write target = \"file\" and path = " + in_quotes(*text);
      report(node, "`target` in [log] must be \"stdout\", \"file\" or \"off\", found " + in_quotes(*text),
             std::move(hint));
    }
  });
  if (!complete_ || !target_good) return;
  const bool to_file = config_.log.target == Log::Target::file;
  if (to_file && path == nullptr)
    report(table_key, "[log] has target = \"file\" but no `path`",
           "for example path = \"/var/log/breakwater.log\"");
  if (!to_file && path != nullptr)
    report(*path, "`path` in [log] is only used with target = \"file\"",
           target_seen ? "" : "add target = \"file\", or leave the path out");
}

void Reader::read_admin(const toml::key& key, const toml::table& table) {
  bool bind_seen = false;
  each_key(table, "[admin]", admin_keys,
           [&](const toml::key&, std::string_view name, const toml::node& node) {
             bind_seen = true;
             if (!read_bind(node, name, "[admin]", config_.admin)) return;
             config_.admin_enabled = true;
             binds_.push_back({place_of(node.source()), {"[admin]", config_.admin}});
           });
  if (!bind_seen && complete_) report(key, "[admin] has no `bind`", "for example bind = \"127.0.0.1:9090\"");
}

void Reader::read_process(const toml::table& table) {
  each_key(table, "[process]", process_keys,
           [&](const toml::key&, std::string_view name, const toml::node& node) {
             if (name == "cores") {
               const auto* number = node.as_integer();
               if (number != nullptr && number->get() == 0)
                 report(node, "`cores` in [process] must be 1 to " + std::to_string(cores_max) + ", found 0",
                        "leave it out to use every CPU");
               else if (const auto count = read_count(node, name, "[process]", 1, cores_max))
                 config_.cores = *count;
             } else if (name == "pin") {
               if (const auto* flag = node.as_boolean())
                 config_.pin = flag->get();
               else
                 report(node, "`pin` in [process] must be true or false, found " + found(node));
             } else if (const std::string* text = as_text(node, name, "[process]", "the path of a file")) {
               config_.pid_file = *text;
               if (text->empty() || text->find('\0') != std::string::npos)
                 report(node, "`pid_file` in [process] is not the path of a file");
             }
           });
}

// ---- what needs the whole file

void Reader::check_whole() {
  check_binds();
  if (!complete_) return;
  if (!listen_seen_) report(Place{}, "there is no listener", "add [listen.git] with bind = \"0.0.0.0:8080\"");
  if (!pool_seen_)
    report(Place{}, "there is no pool of servers", "add [pool.git] with servers = [\"10.0.0.11:3000\"]");
  check_references();
}

void Reader::check_references() {
  if (!pool_seen_ || !pools_whole_) return;  // reported there; more would be noise
  std::vector<std::string_view> names;
  for (const Pool& pool : config_.pools) names.push_back(pool.name);
  for (const Reference& reference : references_) {
    Listen& listen = config_.listens[reference.listen];
    if (!reference.written && names.size() == 1) {
      listen.pool = names.front();
    } else if (!reference.written && !names.empty()) {
      report(reference.place, "[listen." + listen.name + "] has no `pool`, and there are several",
             "pools are " + joined(names));
    } else if (reference.written && std::find(names.begin(), names.end(), listen.pool) == names.end()) {
      const std::string_view near = nearest(listen.pool, names);
      report(reference.place,
             "there is no [pool." + shown(listen.pool) + "] for [listen." + listen.name + "]",
             near.empty() && !names.empty() ? "pools are " + joined(names) : did_you_mean(near));
    }
  }
}

void Reader::check_binds() {
  std::sort(binds_.begin(), binds_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
  });
  for (size_t later = 1; later < binds_.size(); ++later) {
    const auto& [title, bind] = binds_[later].second;
    const auto end = binds_.begin() + static_cast<std::ptrdiff_t>(later);
    const auto first = std::find_if(binds_.begin(), end,
                                    [&](const auto& other) { return same_bind(other.second.second, bind); });
    if (first == end) continue;
    report(binds_[later].first, title + " binds " + bind.text() + ", which " + first->second.first +
                                    " in line " + std::to_string(first->first.line) + " already binds");
  }
}

// ---- single values

const toml::table* Reader::as_table(const toml::node& node, const std::string& title) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) report(node, "expected a table " + title + ", found " + found(node));
  return table;
}

const std::string* Reader::as_text(const toml::node& node, std::string_view key, const std::string& title,
                                   std::string_view example) {
  const auto* const text = node.as_string();
  if (text != nullptr) return &text->get();
  report(node, ticked(key) + " in " + title + " must be a string (" + std::string(example) + "), found " +
                   found(node));
  return nullptr;
}

bool Reader::read_bind(const toml::node& node, std::string_view key, const std::string& title,
                       Endpoint& endpoint) {
  const std::string* const text = as_text(node, key, title, "\"host:port\"");
  if (text == nullptr) return false;
  std::string why;
  if (parse_endpoint(*text, endpoint, why)) return true;
  report(node, "`bind` in " + title + " can't be " + in_quotes(*text) + ": " + why);
  return false;
}

void Reader::read_duration(const toml::node& node, const DurationKey& key) {
  const std::string title = ticked(key.name) + " in [timeouts] must be a duration from " + bounds(key);
  const auto* const text = node.as_string();
  if (text == nullptr) {
    const auto* const number = node.as_integer();
    const bool seconds = number != nullptr && number->get() > 0;
    report(node, title + ", found " + found(node),
           seconds ? "write the unit: \"" + std::to_string(number->get()) + "s\""
                   : "durations look like \"30s\"");
    return;
  }
  Duration& value = config_.timeouts.*key.member;
  if (key.takes_off && text->get() == "off") {
    value = Duration{0};
    return;
  }
  const auto duration = parse_duration(text->get());
  if (!duration)
    report(node, title + ", found " + in_quotes(text->get()),
           "durations look like \"500ms\", \"30s\", \"10m\" or \"1h\"");
  else if (*duration < key.min || *duration > key.max)
    report(node, title + ", found " + in_quotes(text->get()),
           key.takes_off && duration->count() == 0 ? "write \"off\"" : "");
  else
    value = *duration;
}

std::optional<uint64_t> Reader::read_size(const toml::node& node, const SizeKey& key) {
  const std::string title = ticked(key.name) + " in [limits] must be a size from " + bounds(key);
  const auto* const text = node.as_string();
  if (text == nullptr) {
    const auto* const number = node.as_integer();
    const bool bytes = number != nullptr && number->get() > 0;
    report(node, title + ", found " + found(node),
           bytes ? "write \"" + format_size(static_cast<uint64_t>(number->get())) + "\""
                 : "sizes look like \"16KiB\"");
    return std::nullopt;
  }
  if (key.takes_off && text->get() == "off") return 0;
  const auto bytes = parse_size(text->get());
  if (bytes && *bytes >= key.min && *bytes <= key.max) return bytes;
  std::string hint;
  if (!bytes)
    hint = "sizes look like \"4096\", \"16KiB\", \"1MiB\" or \"1GiB\"";
  else if (*bytes == 0 && key.takes_off)
    hint = "write \"off\"";
  report(node, title + ", found " + in_quotes(text->get()), std::move(hint));
  return std::nullopt;
}

std::optional<uint32_t> Reader::read_count(const toml::node& node, std::string_view key,
                                           const std::string& title, uint32_t min, uint32_t max) {
  const auto* const number = node.as_integer();
  if (number != nullptr && number->get() >= min && number->get() <= max)
    return static_cast<uint32_t>(number->get());
  report(node, ticked(key) + " in " + title + " must be an integer from " + std::to_string(min) + " to " +
                   std::to_string(max) + ", found " + found(node));
  return std::nullopt;
}

// ---- the text before it is TOML

uint32_t column_of(std::string_view line, size_t byte) {
  uint32_t column = 1;
  for (size_t at = 0; at < byte; at += std::max<size_t>(utf8_character_bytes(line.substr(at)), 1)) ++column;
  return column;
}

// True if a line holds letters beyond ASCII only where TOML certainly reads them as part of a string or a
// comment: in a line that is all comment, in the one string of `key = "string"`, or in a comment behind that.
bool letters_are_quoted(std::string_view line) {
  const auto beyond = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::none_of(line.begin(), line.end(), beyond)) return true;
  const auto skip = [&line](auto wanted) {
    size_t count = 0;
    while (count < line.size() && wanted(line[count])) count++;
    line.remove_prefix(count);
    return count;
  };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  skip(is_space);
  if (line.starts_with('#')) return true;
  const auto is_key = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  if (skip(is_key) == 0) return false;
  skip(is_space);
  if (!line.starts_with('=')) return false;
  line.remove_prefix(1);
  skip(is_space);
  if (line.empty() || (line[0] != '"' && line[0] != '\'')) return false;
  const char quote = line[0];
  size_t at = 1;
  while (at < line.size() && line[at] != quote) at += line[at] == '\\' && quote == '"' ? 2 : 1;
  if (at >= line.size()) return false;
  line.remove_prefix(at + 1);
  skip(is_space);
  return line.empty() || line == "\r" || line.starts_with('#');
}

// toml++ (3.3, 3.4) goes one level deeper on the stack for each part of a dotted key, without a bound, and
// its test for non-ASCII white space has undefined behaviour ("1\u02AD"), and it asserts on odd bytes where a
// table's name should stand; the fuzzer found both. So the text is looked over first: no key of many parts,
// no control characters, names where they should be, ASCII outside of quotes as TOML 1.0 wants it, and no
// multi-line strings (which we have no use for), so that quotes end on their line and this scan agrees with
// TOML about what is quoted.
std::optional<Problem> check_line(std::string_view line, uint32_t number) {
  if (!letters_are_quoted(line)) {
    return Problem{number, 1, "only strings and comments may hold letters beyond ASCII", ""};
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  };
  const auto control = std::find_if(line.begin(), line.end(), is_control);
  if (control != line.end())
    return Problem{number, column_of(line, static_cast<size_t>(control - line.begin())),
                   "a control character", "remove it"};

  if (const size_t open = line.find_first_not_of(" \t");
      open != std::string_view::npos && line[open] == '[') {
    const size_t name = line.find_first_not_of(" \t[", open);
    if (name != std::string_view::npos && !is_name(line.substr(name, 1)) && line[name] != '"' &&
        line[name] != '\'')
      return Problem{number, column_of(line, name), "a table's name must stand here",
                     "write it as in [timeouts]"};
  }

  char quote = '\0';
  unsigned dots = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != '\0') {
      if (c == '\\' && quote == '"')
        ++at;
      else if (c == quote)
        quote = '\0';
    } else if (c == '#') {
      break;
    } else if (c == '"' || c == '\'') {
      if (line.substr(at, 3) == std::string(3, c))
        return Problem{number, column_of(line, at), "multi-line strings are not used here",
                       "write it in one line"};
      quote = c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return Problem{number, column_of(line, at), "only strings and comments may hold letters beyond ASCII",
                     "quote it"};
    } else if (c == '.' && ++dots > dots_per_line_max) {
      return Problem{number, column_of(line, at), "a key of too many parts",
                     "tables are two levels deep at most"};
    }
  }
  return std::nullopt;
}

Problems check_text(std::string_view text) {
  if (text.size() > file_bytes_max)
    return {{0, 0, "the file is larger than " + format_size(file_bytes_max), "is it the right file?"}};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark, which some editors write
  Problems problems;
  uint32_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto problem = check_line(text.substr(0, end), ++number)) problems.push_back(std::move(*problem));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return problems;
}

std::optional<Problem> parse_toml(std::string_view text, toml::table& root) {
  try {
    root = toml::parse(text);
    return std::nullopt;
  } catch (const toml::parse_error& error) {
    const auto& begin = error.source().begin;
    std::string message = shown(error.description(), 300);
    if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z')
      message[0] = static_cast<char>(message[0] + 32);
    const bool open_string =
        message.find("control characters") != std::string::npos;  // it met the line's end
    return Problem{begin.line, begin.column, "this is not TOML: " + message,
                   open_string ? "is a closing quote missing?" : ""};
  } catch (const TomlGaveUp&) {
    return Problem{0, 0, "this is not TOML, and its parser can't say where", ""};
  }
}

std::string_view lines_before(std::string_view text, uint32_t line) {
  size_t at = 0;
  for (uint32_t number = 1; number < line && at < text.size(); ++number) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return text.substr(0, at);
}

// A place that exists: toml++ may point one past the last line, or behind a line's end.
void move_into(std::string_view text, Problem& problem) {
  if (problem.line == 0) return;
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  problem.line = std::min(problem.line, lines);
  const std::string_view rest = text.substr(lines_before(text, problem.line).size());
  const std::string_view line = rest.substr(0, rest.find('\n'));
  problem.column = std::clamp(problem.column, 1u, column_of(line, line.size()));
}

}  // namespace

std::variant<Config, Problems> parse(std::string_view text) {
  Problems problems = check_text(text);
  if (!problems.empty()) return problems;

  toml::table root;
  Config config;
  if (auto syntax = parse_toml(text, root)) {
    // The lines above it may still be read, so that their problems show in the same run.
    toml::table above;
    if (!parse_toml(lines_before(text, syntax->line), above)) {
      Reader reader(false);
      reader.read(above);
      problems = reader.take_problems();
    }
    problems.push_back(std::move(*syntax));
  } else {
    Reader reader(true);
    config = reader.read(root);
    problems = reader.take_problems();
  }
  if (problems.empty()) return config;

  for (Problem& problem : problems) move_into(text, problem);
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.message) < std::tie(b.line, b.column, b.message);
  });
  return problems;
}

}  // namespace breakwater::config
