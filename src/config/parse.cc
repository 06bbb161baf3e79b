// From TOML to a Config: the file's tables, each read by its own function (tables.h).
#include "config/parse.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/message.h"
#include "config/nearest.h"
#include "config/parse_text.h"
#include "config/tables.h"
#include "config/whole.h"

namespace breakwater::config {
namespace {

using namespace std::string_literals;

// [listen.NAME], [pool.NAME] and [route.NAME].
struct NamedTable {
  std::string_view kind;
  size_t count_max;
  NamedTables Draft::* state;
  void (*read)(Reader&, const toml::key&, const toml::table&);
};
constexpr NamedTable named_tables[] = {
    {"listen", listens_max, &Draft::listens, read_listen},
    {"pool", pools_max, &Draft::pools, read_pool},
    {"route", routes_max, &Draft::routes, read_route},
};

void read_named(Reader& reader, const toml::key& key, const toml::node& node, const NamedTable& named,
                size_t& count) {
  const std::string kind(named.kind);
  const std::string_view name = key.str();
  const toml::table* const table = node.as_table();
  if (table != nullptr && is_name(name) && count < named.count_max) {
    ++count;
    return named.read(reader, key, *table);
  }
  (reader.draft.*named.state).whole = false;
  if (table == nullptr)
    reader.report(key, "expected a table [" + kind + "." + shown(name) + "], found " + found(node),
                  "keys go into a table with a name, as in [" + kind + ".git]");
  else if (!is_name(name))
    reader.report(key, in_quotes(name) + " can't name a " + kind,
                  "a name is 1 to " + std::to_string(name_bytes_max) + " letters, digits, `-` or `_`");
  else if (count++ == named.count_max)  // said once
    reader.report(key, "more than " + std::to_string(named.count_max) + " [" + kind + ".NAME] tables");
}

// `node` is what stands under `listen`, `pool` or `route`.
void read_all_named(Reader& reader, const toml::node& node, const NamedTable& named) {
  const std::string kind(named.kind);
  NamedTables& state = reader.draft.*named.state;
  state.seen = true;
  const toml::table* const tables = node.as_table();
  if (tables == nullptr) {
    state.whole = false;
    reader.report(node, "expected tables named [" + kind + ".NAME], found " + found(node));
    return;
  }
  if (tables->empty() && reader.draft.complete)
    reader.report(node, "[" + kind + "] is empty", "give it a name, as in [" + kind + ".git]");
  size_t count = 0;
  for (const auto& [key, entry] : in_file_order(*tables)) read_named(reader, *key, *entry, named, count);
}

void report_unknown(Reader& reader, const toml::key& key, const toml::node& node) {
  const std::string_view name = key.str();
  const std::string_view near = nearest(name, table_names);
  const std::string_view owner = table_with_key(name);
  if (!node.is_table()) {
    reader.report(key, "unknown key " + ticked(name) + " outside of any table",
                  owner.empty() ? did_you_mean(near) : "it belongs in "s.append(owner));
  } else {
    reader.report(
        key, "unknown table [" + shown(name) + "]",
        near.empty() ? "tables are " + joined(table_names) : "did you mean [" + std::string(near) + "]?");
  }
}

void read_single(Reader& reader, const toml::key& key, const toml::node& node) {
  const std::string_view name = key.str();
  const toml::table* const table = reader.table(node, "[" + std::string(name) + "]");
  if (table == nullptr) return;
  if (name == "timeouts") read_timeouts(reader, *table);
  if (name == "limits") read_limits(reader, *table);
  if (name == "dns") read_dns(reader, *table);
  if (name == "log") read_log(reader, key, *table);
  if (name == "admin") read_admin(reader, key, *table);
  if (name == "process") read_process(reader, *table);
}

void read_root(Reader& reader, const toml::table& root) {
  for (const auto& [key, node] : in_file_order(root)) {
    const std::string_view name = key->str();
    const auto named = std::find_if(std::begin(named_tables), std::end(named_tables),
                                    [name](const NamedTable& table) { return table.kind == name; });
    if (named != std::end(named_tables))
      read_all_named(reader, *node, *named);
    else if (std::find(std::begin(table_names), std::end(table_names), name) != std::end(table_names))
      read_single(reader, *key, *node);
    else
      report_unknown(reader, *key, *node);
  }
  check_whole(reader.draft);
}

}  // namespace

std::variant<Config, Problems> parse(std::string_view text, Origins* origins) {
  Problems problems = check_text(text);
  if (!problems.empty()) return problems;

  toml::table root;
  std::optional<Problem> syntax = parse_toml(text, root);
  Reader reader(!syntax);
  if (!syntax) {
    read_root(reader, root);
  } else if (toml::table above; !parse_toml(lines_before(text, syntax->line), above)) {
    // The lines above it may still be read, so that their problems show in the same run.
    read_root(reader, above);
  }
  problems = std::move(reader.draft.problems);
  if (syntax) problems.push_back(std::move(*syntax));
  if (problems.empty()) {
    if (origins != nullptr) *origins = std::move(reader.draft.origins);
    return std::move(reader.draft.config);
  }

  for (Problem& problem : problems) move_into(text, problem);
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.message) < std::tie(b.line, b.column, b.message);
  });
  return problems;
}

}  // namespace breakwater::config
