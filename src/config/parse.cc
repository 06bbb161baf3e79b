// From TOML to a Config: the file's tables, each read by its own function (tables.h).
#include "config/parse.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/document.h"
#include "config/tables.h"
#include "config/whole.h"

namespace breakwater::config {
namespace {

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

// `node` is what stands under `listen`, `pool` or `route`.
void read_all_named(Reader& reader, const toml::node& node, const NamedTable& named) {
  NamedTables& state = reader.draft.*named.state;
  state.seen = true;
  state.whole = reader.each_named(
      node, named.kind, "git", named.count_max,
      [&](const toml::key& key, const toml::table& table) { named.read(reader, key, table); });
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
      reader.report_unknown_table(*key, *node, table_names);
  }
  check_whole(reader.draft);
}

}  // namespace

std::variant<Config, Problems> parse(std::string_view text, Origins* origins) {
  std::optional<Draft> draft;
  Problems problems = read_document(text, [&](const toml::table& root, bool complete) {
    Reader reader(draft.emplace(complete));
    read_root(reader, root);
    return std::move(draft->problems);
  });
  if (!problems.empty()) return problems;
  if (origins != nullptr) *origins = std::move(draft->origins);
  return std::move(draft->config);
}

}  // namespace breakwater::config
