// The file's tables, each read by its own function (scenario_reader.h).
#include "plan/read_scenario.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "config/document.h"
#include "plan/scenario_reader.h"

namespace breakwater::storm {

namespace {

void read_named(ScenarioReader& reader, std::string_view name, const toml::node& node) {
  ScenarioDraft& draft = reader.draft;
  if (name == "operation") {
    draft.has_operations = true;
    draft.operations_are_whole = reader.each_named(
        node, name, "clone", operation_tables_max,
        [&](const toml::key& key, const toml::table& table) { read_operation(reader, key, table); });
  } else {
    draft.has_arrivals = true;
    reader.each_named(
        node, name, "steady", arrivals_tables_max,
        [&](const toml::key& key, const toml::table& table) { read_arrivals(reader, key, table); });
  }
}

void read_single(ScenarioReader& reader, const toml::key& key, const toml::node& node) {
  const std::string_view name = key.str();
  const toml::table* const table = reader.table(node, "[" + std::string(name) + "]");
  if (name == "target") reader.draft.has_target = true;
  if (table == nullptr) return;
  if (name == "storm") read_storm(reader, *table);
  if (name == "target") read_target(reader, key, *table);
  if (name == "runners") read_runners(reader, *table);
}

void read_root(ScenarioReader& reader, const toml::table& root) {
  for (const auto& [key, node] : config::in_file_order(root)) {
    const std::string_view name = key->str();
    if (name == "operation" || name == "arrivals")
      read_named(reader, name, *node);
    else if (std::ranges::find(scenario_tables, name) != std::end(scenario_tables))
      read_single(reader, *key, *node);
    else
      reader.report_unknown_table(*key, *node, scenario_tables);
  }
  check_scenario(reader.draft);
}

}  // namespace

std::variant<ScenarioFile, config::Problems> read_scenario(std::string_view text, std::string_view url) {
  std::optional<ScenarioDraft> draft;
  config::Problems problems = config::read_document(text, [&](const toml::table& root, bool complete) {
    ScenarioReader reader(draft.emplace(complete));
    draft->url = url;
    read_root(reader, root);
    return std::move(draft->problems);
  });
  if (!problems.empty()) return problems;
  return std::move(draft->file);
}

}  // namespace breakwater::storm
