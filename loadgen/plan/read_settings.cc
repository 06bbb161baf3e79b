// [storm] and [runners]: how long, from which seed, and by how many machines that do what.
#include "plan/scenario_reader.h"

namespace breakwater::storm {

namespace {

bool read_seed(ScenarioReader& reader, const toml::node& node, const std::string& title) {
  const std::optional<uint32_t> seed = reader.count(node, seed_rule, title);
  if (seed) reader.draft.file.scenario.seed = *seed;
  return seed.has_value();
}

bool read_name(ScenarioReader& reader, const toml::node& node, const std::string& title) {
  std::optional<std::string> name =
      reader.plain_text(node, "name", title, config::name_bytes_max, "a word for reports");
  if (name) reader.draft.file.scenario.name = std::move(*name);
  return name.has_value();
}

}  // namespace

void read_storm(ScenarioReader& reader, const toml::table& table) {
  const std::string title = "[storm]";
  Scenario& scenario = reader.draft.file.scenario;
  reader.each_key(table, title, storm_keys, [&](std::string_view name, const toml::node& node) {
    ValueOfKey value{reader, title, name, node};
    value.among(storm_duration_keys, scenario);
    value.among(storm_count_keys, scenario);
    value.one(driver_key, scenario);
    if (name == "seed") value.take(read_seed(reader, node, title));
    if (name == "name") value.take(read_name(reader, node, title));
    reader.draft.storm[name] = config::origin_of(node, value.result());
  });
}

void read_runners(ScenarioReader& reader, const toml::table& table) {
  const std::string title = "[runners]";
  Runners& runners = reader.draft.file.scenario.runners;
  config::KeyOrigins& origins = reader.draft.runners;
  reader.each_key(table, title, runner_keys, [&](std::string_view name, const toml::node& node) {
    ValueOfKey value{reader, title, name, node};
    value.among(runner_count_keys, runners);
    value.among(runner_size_keys, runners);
    value.one(think_key, runners);
    origins[name] = config::origin_of(node, value.result());
  });
  if (runners.slow_percent == 0 && !config::is_wrong(origins, "slow_percent"))
    config::report_unused({reader.draft, title, origins}, "slow_download", "a `slow_percent`",
                          "for example slow_percent = 10");
}

}  // namespace breakwater::storm
