// [arrivals.NAME]: when which operations begin.
#include "plan/scenario_reader.h"

namespace breakwater::storm {

namespace {

class ArrivalsReader {
 public:
  ArrivalsReader(ScenarioReader& reader, std::string_view name)
      : reader_(reader), title_("[arrivals." + std::string(name) + "]") {
    arrivals_.name = name;
  }

  void read(const toml::key& key, const toml::table& table);

 private:
  // Each is true if the value is good.
  bool read_key(std::string_view name, const toml::node& node);
  bool read_operations(const toml::node& node);
  bool read_name(const toml::node& node, std::string_view key, bool is_push);
  bool read_log(const toml::node& node);
  void check_shape(config::Place head);
  void check_times();

  ScenarioReader& reader_;
  const std::string title_;
  Arrivals arrivals_;
  config::KeyOrigins origins_;
};

void ArrivalsReader::read(const toml::key& key, const toml::table& table) {
  ScenarioDraft& draft = reader_.draft;
  reader_.each_key(table, title_, arrivals_keys, [&](std::string_view name, const toml::node& node) {
    const bool good = read_key(name, node);
    origins_[name] = config::origin_of(node, good);
  });
  check_shape(config::place_of(key));
  draft.arrivals_places.push_back(config::place_of(key));
  draft.file.scenario.arrivals.push_back(std::move(arrivals_));
  draft.arrivals.push_back(std::move(origins_));
}

bool ArrivalsReader::read_key(std::string_view name, const toml::node& node) {
  if (name == "operations") return read_operations(node);
  if (name == "push") return read_name(node, name, true);
  if (name == "log") return read_log(node);
  ValueOfKey value{reader_, title_, name, node};
  value.one(shape_key, arrivals_);
  value.among(arrivals_duration_keys, arrivals_);
  value.among(arrivals_count_keys, arrivals_);
  value.among(rate_keys, arrivals_);
  return value.result();
}

bool ArrivalsReader::read_operations(const toml::node& node) {
  const toml::array* const array =
      reader_.array(node, "operations", title_, "names of operations", operation_tables_max);
  if (array == nullptr) return false;
  if (array->empty()) reader_.report(node, "`operations` in " + title_ + " must name at least one operation");
  bool good = !array->empty();
  for (const toml::node& item : *array) good = read_name(item, "operations", false) && good;
  return good;
}

bool ArrivalsReader::read_name(const toml::node& node, std::string_view key, bool is_push) {
  const std::string* const text = reader_.text(node, key, title_, "the name of an operation");
  if (text == nullptr) return false;
  const size_t index = reader_.draft.file.scenario.arrivals.size();
  reader_.draft.names.push_back({*text, config::place_of(node), index, is_push});
  return true;
}

bool ArrivalsReader::read_log(const toml::node& node) {
  std::optional<std::string> path = reader_.path(node, "log", title_);
  if (!path) return false;
  ScenarioFile& file = reader_.draft.file;
  file.logs.push_back({{std::move(*path), config::place_of(node)}, file.scenario.arrivals.size()});
  return true;
}

void ArrivalsReader::check_shape(config::Place head) {
  if (config::is_wrong(origins_, "shape")) return;
  const config::TableDraft in{reader_.draft, title_, origins_};
  check_uses(in, head, "shape", shape_words, arrivals_.shape, arrivals_uses);
  const bool is_still = arrivals_.rate == 0 && arrivals_.rate_to == 0;
  const bool is_rated = origins_.contains("rate") && !config::is_wrong(origins_, "rate") &&
                        !config::is_wrong(origins_, "rate_to");
  if (is_still && is_rated && (of_rates & set_of(arrivals_.shape)) != 0)
    reader_.draft.report(origins_.at("rate").place, "with the `rate` in " + title_ + " nothing ever begins");
}

}  // namespace

void read_arrivals(ScenarioReader& reader, const toml::key& key, const toml::table& table) {
  ArrivalsReader(reader, key.str()).read(key, table);
}

}  // namespace breakwater::storm
