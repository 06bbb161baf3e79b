// Walks the TOML tree table by table. Every problem is noted with its place; nothing stops at the first.
#include "config/parse.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Its assertions fire on malformed input (found by the fuzzer: a key that begins like none); without them it
// reports it.
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include "config/units.h"

namespace breakwater::config {

namespace {

size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t index = 0; index <= b.size(); index++) row[index] = index;
  for (size_t i = 1; i <= a.size(); i++) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); j++) {
      const size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, change});
    }
  }
  return row.back();
}

template <typename Names>
std::string nearest(std::string_view word, const Names& names) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const auto& name : names) {
    const size_t distance = edit_distance(word, name);
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = name;
  }
  return best.empty() ? "" : "did you mean `" + best + "`?";
}

std::string_view type_name(const toml::node& node) {
  if (node.is_string()) return "a string";
  if (node.is_integer()) return "a number";
  if (node.is_boolean()) return "true or false";
  if (node.is_array()) return "a list";
  if (node.is_table()) return "a table";
  return "another type";
}

bool is_network(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string_view host = text.substr(0, slash);
  const bool v6 = host.find(':') != std::string_view::npos;
  const std::string_view allowed = v6 ? "0123456789abcdefABCDEF:." : "0123456789.";
  if (host.empty() || host.find_first_not_of(allowed) != std::string_view::npos) return false;
  if (!v6 && std::count(host.begin(), host.end(), '.') != 3) return false;
  if (slash == std::string_view::npos) return true;
  uint32_t bits = 0;
  const std::string_view digits = text.substr(slash + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  return error == std::errc() && end == digits.data() + digits.size() && bits <= (v6 ? 128u : 32u);
}

class Reader {
 public:
  Problems problems;

  void note(const toml::source_region& at, std::string message, std::string hint = {}) {
    problems.push_back({at.begin.line, at.begin.column, std::move(message), std::move(hint)});
  }
  void note(const toml::node& node, std::string message, std::string hint = {}) {
    note(node.source(), std::move(message), std::move(hint));
  }

  void unknown_key(const toml::key& key, const std::string& table, const std::vector<std::string>& known) {
    const std::string name(key.str());
    note(key.source(), "unknown key `" + name + "` in [" + table + "]", nearest(name, known));
  }

  std::optional<std::string> string(const toml::node& node, const std::string& what) {
    if (const auto* text = node.as_string()) return text->get();
    note(node, what + " must be a string, not " + std::string(type_name(node)));
    return std::nullopt;
  }

  void duration(const toml::node& node, const std::string& what, Duration& target, bool may_be_off) {
    const std::optional<std::string> text = string(node, what);
    if (!text) return;
    const std::optional<Duration> value = parse_duration(*text);
    if (!value)
      return note(
          node,
          what + " must be a duration of at most 18h with a unit, such as \"30s\", \"500ms\" or \"10m\"");
    if (value->count() == 0 && !may_be_off) return note(node, what + " can't be off or zero");
    target = *value;
  }

  template <typename Number>
  void size(const toml::node& node, const std::string& what, Number& target, uint64_t low, uint64_t high,
            bool may_be_off) {
    const std::optional<std::string> text = string(node, what);
    if (!text) return;
    const std::optional<uint64_t> value = parse_size(*text);
    if (!value) return note(node, what + " must be a size with a unit, such as \"16KiB\" or \"1MiB\"");
    if (*value == 0 && may_be_off) {
      target = 0;
      return;
    }
    if (*value < low || *value > high) {
      return note(node, what + " must be from " + std::to_string(low) + " to " + std::to_string(high) +
                            " bytes, not " + std::to_string(*value));
    }
    target = static_cast<Number>(*value);
  }

  void count(const toml::node& node, const std::string& what, uint32_t& target, uint32_t low, uint32_t high) {
    const auto* number = node.as_integer();
    if (number == nullptr) return note(node, what + " must be a number, not " + std::string(type_name(node)));
    if (number->get() < int64_t{low} || number->get() > int64_t{high}) {
      return note(node, what + " must be from " + std::to_string(low) + " to " + std::to_string(high) +
                            ", not " + std::to_string(number->get()));
    }
    target = static_cast<uint32_t>(number->get());
  }

  void endpoint(const toml::node& node, const std::string& what, Endpoint& target) {
    const std::optional<std::string> text = string(node, what);
    std::string why;
    if (text && !parse_endpoint(*text, target, why)) note(node, what + ": " + why);
  }
};

struct Place {  // where a listener stands, for what is checked once everything is read
  toml::source_region bind, pool;
};

void read_listen(Reader& reader, const std::string& name, const toml::table& table, Listen& listen,
                 Place& place) {
  const std::string path = "listen." + name;
  listen.name = name;
  bool bound = false;
  place.pool = table.source();
  for (const auto& [key, node] : table) {
    if (key == "bind") {
      reader.endpoint(node, "bind", listen.bind);
      place.bind = node.source();
      bound = true;
    } else if (key == "pool") {
      listen.pool = reader.string(node, "pool").value_or("?");
      place.pool = node.source();
    } else if (key == "trusted") {
      const auto* list = node.as_array();
      if (list == nullptr) {
        reader.note(node, "trusted must be a list of networks, such as [\"10.0.0.0/8\"]");
        continue;
      }
      for (const auto& element : *list) {
        const std::optional<std::string> text = reader.string(element, "a trusted network");
        if (!text) continue;
        if (is_network(*text))
          listen.trusted.push_back(*text);
        else
          reader.note(element,
                      "`" + *text + "` is not a network, such as \"10.0.0.0/8\" or \"2001:db8::/32\"");
      }
    } else {
      reader.unknown_key(key, path, {"bind", "pool", "trusted"});
    }
  }
  if (!bound) reader.note(table, "[" + path + "] needs `bind`, such as bind = \"0.0.0.0:8080\"");
}

void read_pool(Reader& reader, const std::string& name, const toml::table& table, Pool& pool) {
  const std::string path = "pool." + name;
  pool.name = name;
  bool named = false;
  for (const auto& [key, node] : table) {
    if (key != "servers") {
      reader.unknown_key(key, path, {"servers"});
      continue;
    }
    named = true;
    const auto* list = node.as_array();
    if (list == nullptr || list->empty()) {
      reader.note(node, "servers must be a list of at least one address, such as [\"10.0.0.11:3000\"]");
      continue;
    }
    for (const auto& element : *list) {
      Endpoint server;
      const size_t before = reader.problems.size();
      reader.endpoint(element, "a server", server);
      if (reader.problems.size() != before) continue;
      if (server.port == 0)
        reader.note(element, "a server needs a port other than 0");
      else if (server.host.empty())
        reader.note(element, "a server needs a host");
      else if (std::find(pool.servers.begin(), pool.servers.end(), server) != pool.servers.end())
        reader.note(element, "the server " + server.text() + " stands in this pool twice");
      else
        pool.servers.push_back(server);
    }
  }
  if (!named) reader.note(table, "[" + path + "] needs `servers`, such as servers = [\"10.0.0.11:3000\"]");
}

void read_timeouts(Reader& reader, const toml::table& table, Timeouts& timeouts) {
  struct Entry {
    std::string name;
    Duration* target;
    bool may_be_off;
  };
  const std::array<Entry, 8> entries{{{"head", &timeouts.head, false},
                                      {"keep_alive", &timeouts.keep_alive, false},
                                      {"connect", &timeouts.connect, false},
                                      {"response", &timeouts.response, true},
                                      {"idle", &timeouts.idle, true},
                                      {"server_idle", &timeouts.server_idle, false},
                                      {"linger", &timeouts.linger, true},
                                      {"drain", &timeouts.drain, true}}};
  for (const auto& [key, node] : table) {
    const auto* entry =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& one) { return key == one.name; });
    if (entry != entries.end()) {
      reader.duration(node, entry->name, *entry->target, entry->may_be_off);
      continue;
    }
    std::vector<std::string> known;
    for (const Entry& one : entries) known.push_back(one.name);
    reader.unknown_key(key, "timeouts", known);
  }
}

void read_limits(Reader& reader, const toml::table& table, Limits& limits) {
  for (const auto& [key, node] : table) {
    if (key == "connections")
      reader.count(node, "connections", limits.connections, 1, 1'000'000);
    else if (key == "servers_idle")
      reader.count(node, "servers_idle", limits.servers_idle, 0, 65536);
    else if (key == "head_bytes")
      reader.size(node, "head_bytes", limits.head_bytes, 1024, 16384, false);
    else if (key == "target_bytes")
      reader.size(node, "target_bytes", limits.target_bytes, 256, 16384, false);
    else if (key == "body_bytes")
      reader.size(node, "body_bytes", limits.body_bytes, 1, UINT64_MAX / 4, true);
    else if (key == "head_buffers")
      reader.count(node, "head_buffers", limits.head_buffers, 16, 32768);
    else if (key == "bulk_buffers")
      reader.count(node, "bulk_buffers", limits.bulk_buffers, 4, 32768);
    else if (key == "pipes")
      reader.count(node, "pipes", limits.pipes, 0, 65536);
    else
      reader.unknown_key(key, "limits",
                         {"connections", "servers_idle", "head_bytes", "target_bytes", "body_bytes",
                          "head_buffers", "bulk_buffers", "pipes"});
  }
}

void read_log(Reader& reader, const toml::table& table, Log& log) {
  bool has_path = false;
  for (const auto& [key, node] : table) {
    if (key == "target") {
      const std::optional<std::string> target = reader.string(node, "target");
      if (!target) continue;
      if (*target == "off")
        log.target = Log::Target::off;
      else if (*target == "stdout")
        log.target = Log::Target::standard_output;
      else if (*target == "file")
        log.target = Log::Target::file;
      else
        reader.note(node, "target must be \"stdout\", \"file\" or \"off\", not \"" + *target + "\"",
                    nearest(*target, std::vector<std::string>{"stdout", "file", "off"}));
    } else if (key == "path") {
      log.path = reader.string(node, "path").value_or("");
      has_path = true;
    } else {
      reader.unknown_key(key, "log", {"target", "path"});
    }
  }
  if (log.target == Log::Target::file && !has_path)
    reader.note(table, "[log] with target = \"file\" needs `path`");
}

void read_process(Reader& reader, const toml::table& table, Config& config) {
  for (const auto& [key, node] : table) {
    if (key == "cores") {
      reader.count(node, "cores", config.cores, 1, 1024);
    } else if (key == "pid_file") {
      config.pid_file = reader.string(node, "pid_file").value_or("");
    } else if (key == "pin") {
      if (const auto* flag = node.as_boolean())
        config.pin = flag->get();
      else
        reader.note(node, "pin must be true or false, not " + std::string(type_name(node)));
    } else {
      reader.unknown_key(key, "process", {"cores", "pid_file", "pin"});
    }
  }
}

void read_admin(Reader& reader, const toml::table& table, Config& config) {
  for (const auto& [key, node] : table) {
    if (key == "bind") {
      reader.endpoint(node, "bind", config.admin);
      config.admin_enabled = true;
    } else {
      reader.unknown_key(key, "admin", {"bind"});
    }
  }
  if (!config.admin_enabled) reader.note(table, "[admin] needs `bind`, such as bind = \"127.0.0.1:9090\"");
}

// [listen.NAME] and [pool.NAME]: visit(name, table) for each.
template <typename Visit>
void each_named(Reader& reader, const toml::key& key, const toml::node& node, Visit visit) {
  const auto* group = node.as_table();
  const std::string word(key.str());
  if (group == nullptr)
    return reader.note(node, "`" + word + "` is a group of tables: write [" + word + ".NAME]");
  for (const auto& [name, inner] : *group) {
    if (const auto* table = inner.as_table())
      visit(std::string(name.str()), *table);
    else
      reader.note(name.source(), "`" + std::string(name.str()) + "` stands directly in [" + word +
                                     "]; give the table a name: [" + word + ".NAME]");
  }
}

void check_references(Reader& reader, Config& config, const std::vector<Place>& places) {
  std::vector<std::string> names;
  for (const Pool& pool : config.pools) names.push_back(pool.name);
  for (size_t index = 0; index < config.listens.size(); index++) {
    Listen& listen = config.listens[index];
    if (listen.pool.empty() && names.size() == 1) listen.pool = names.front();
    if (listen.pool.empty()) {
      reader.note(places[index].pool,
                  "[listen." + listen.name + "] needs `pool`, as there is not just one pool");
    } else if (listen.pool != "?" && std::find(names.begin(), names.end(), listen.pool) == names.end()) {
      reader.note(places[index].pool, "there is no pool `" + listen.pool + "`", nearest(listen.pool, names));
    }
    for (size_t earlier = 0; earlier < index; earlier++) {
      if (listen.bind.port == 0 || config.listens[earlier].bind != listen.bind) continue;
      reader.note(places[index].bind, "[listen." + listen.name + "] and [listen." +
                                          config.listens[earlier].name + "] bind the same address");
    }
  }
}

}  // namespace

std::variant<Config, Problems> parse(std::string_view text) {
  const toml::parse_result parsed = toml::parse(text);
  Reader reader;
  if (!parsed) {
    reader.note(parsed.error().source(), std::string(parsed.error().description()));
    return reader.problems;
  }
  Config config;
  std::vector<Place> places;
  const std::vector<std::string> known{"listen", "pool", "timeouts", "limits", "log", "admin", "process"};
  for (const auto& [key, node] : parsed.table()) {
    const std::string word(key.str());
    if (word == "listen") {
      each_named(reader, key, node, [&](const std::string& name, const toml::table& table) {
        read_listen(reader, name, table, config.listens.emplace_back(), places.emplace_back());
      });
      continue;
    }
    if (word == "pool") {
      each_named(reader, key, node, [&](const std::string& name, const toml::table& table) {
        read_pool(reader, name, table, config.pools.emplace_back());
      });
      continue;
    }
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      reader.note(key.source(),
                  node.is_table() ? "unknown table [" + word + "]" : "unknown key `" + word + "`",
                  nearest(word, known));
      continue;
    }
    const auto* table = node.as_table();
    if (table == nullptr)
      reader.note(node, "`" + word + "` is a table: write [" + word + "]");
    else if (word == "timeouts")
      read_timeouts(reader, *table, config.timeouts);
    else if (word == "limits")
      read_limits(reader, *table, config.limits);
    else if (word == "log")
      read_log(reader, *table, config.log);
    else if (word == "admin")
      read_admin(reader, *table, config);
    else
      read_process(reader, *table, config);
  }
  if (config.listens.empty())
    reader.problems.push_back({0, 0, "there is no [listen.NAME]: nothing would be listened on", ""});
  if (config.pools.empty())
    reader.problems.push_back({0, 0, "there is no [pool.NAME]: there are no servers", ""});
  else
    check_references(reader, config, places);
  if (reader.problems.empty()) return config;
  std::stable_sort(reader.problems.begin(), reader.problems.end(), [](const Problem& a, const Problem& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return reader.problems;
}

std::string render(const Problems& problems, std::string_view file_name, std::string_view toml) {
  std::vector<std::string_view> lines;
  while (!toml.empty()) {
    const size_t end = std::min(toml.find('\n'), toml.size());
    lines.push_back(toml.substr(0, end));
    toml.remove_prefix(std::min(end + 1, toml.size()));
  }
  std::string text;
  for (const Problem& problem : problems) {
    text += file_name;
    if (problem.line != 0) text += ":" + std::to_string(problem.line) + ":" + std::to_string(problem.column);
    text += ": error: " + problem.message;
    const bool shown = problem.line != 0 && problem.line <= lines.size();
    if (!shown) {
      text += problem.hint.empty() ? "\n" : "; " + problem.hint + "\n";
      continue;
    }
    const std::string number = std::to_string(problem.line);
    const std::string margin(number.size() + 2, ' ');
    std::string line(lines[problem.line - 1]);
    std::replace_if(
        line.begin(), line.end(), [](char byte) { return static_cast<unsigned char>(byte) < 0x20; }, ' ');
    text += "\n  " + number + " | " + line + "\n" + margin + " | ";
    text += std::string(problem.column > 0 ? problem.column - 1 : 0, ' ') + "^";
    if (!problem.hint.empty()) text += " " + problem.hint;
    text += "\n";
  }
  text += std::to_string(problems.size()) + (problems.size() == 1 ? " error" : " errors") +
          "; nothing was started\n";
  return text;
}

bool parse_endpoint(std::string_view text, Endpoint& endpoint, std::string& why) {
  const std::string quoted = "`" + std::string(text) + "`";
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    why = quoted + " has no port; write ADDRESS:PORT, such as 127.0.0.1:8080";
    return false;
  }
  std::string_view host = text.substr(0, colon);
  const std::string_view digits = text.substr(colon + 1);
  uint32_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || port > 65535) {
    why = quoted + " has no port from 0 to 65535 after its last colon";
    return false;
  }
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string_view::npos) {
    why = quoted + " has several colons; an IPv6 address goes in brackets, such as [::1]:8080";
    return false;
  }
  for (const char byte : host) {
    const unsigned char value = static_cast<unsigned char>(byte);
    if (value > 0x20 && value < 0x7f && std::string_view("/@?#[]\"'`").find(byte) == std::string_view::npos)
      continue;
    why = quoted + " is not ADDRESS:PORT";
    return false;
  }
  endpoint.host = std::string(host);
  endpoint.port = static_cast<uint16_t>(port);
  return true;
}

}  // namespace breakwater::config
