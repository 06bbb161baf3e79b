// A scenario while its file is read: what is known of it, what is wrong with it, and what can only be judged
// when the whole file is known (check_scenario.cc). Each kind of table has a function of its own here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "config/order.h"
#include "config/value_reader.h"
#include "plan/read_scenario.h"
#include "plan/scenario_schema.h"

namespace breakwater::storm {

// A name of an operation in [arrivals.NAME].
struct OperationName {
  std::string text;
  config::Place place;
  size_t arrivals;  // index in the scenario
  bool is_push;     // of `push`, not of `operations`
};

struct ScenarioDraft : config::Findings {
  using Findings::Findings;

  ScenarioFile file;
  std::string_view url;  // that of the command line, or empty
  bool has_target = false, has_operations = false, has_arrivals = false;
  bool operations_are_whole = true;  // false once one could not be read: then no name is called unknown
  config::KeyOrigins storm, target, runners;  // which of their keys are there
  std::vector<bool> verbs_are_known;          // of each operation, in the scenario's order
  std::vector<config::KeyOrigins> arrivals;   // of each table, in the scenario's order
  std::vector<config::Place> arrivals_places;
  std::vector<OperationName> names;
};

class ScenarioReader : public config::ValueReader {
 public:
  explicit ScenarioReader(ScenarioDraft& a_draft);

  ScenarioDraft& draft;

  using ValueReader::read;
  template <typename Owner>
  bool read(const toml::node& node, const SizeMember<Owner>& key, const std::string& title, Owner& owner) {
    const std::optional<uint64_t> bytes = size(node, key, title);
    if (bytes) owner.*key.member = *bytes;
    return bytes.has_value();
  }
  bool read(const toml::node& node, const RateKey& key, const std::string& title, Arrivals& owner);

  // A string of visible characters, which goes into a request as it is.
  std::optional<std::string> plain_text(const toml::node& node, std::string_view key,
                                        const std::string& title, size_t bytes_max, std::string_view example);
};

// The value of the key `name`, into the member that one of several lists of keys has for it.
struct ValueOfKey {
  ScenarioReader& reader;
  const std::string& title;
  std::string_view name;
  const toml::node& node;
  bool found = false;  // a list had the key
  bool good = false;

  template <typename Key, typename Owner>
  void one(const Key& key, Owner& owner) {
    if (key.name == name) take(reader.read(node, key, title, owner));
  }
  template <typename Keys, typename Owner>
  void among(const Keys& keys, Owner& owner) {
    for (const auto& key : keys) one(key, owner);
  }
  void take(bool is_good) {
    found = true;
    good = is_good;
  }
  bool result() const {
    BW_ASSERT(found);  // the keys that are known are those of the lists
    return good;
  }
};

// Of a table whose word `word` of the key `word_key` is `value`: keys that mean nothing with it, or that it
// needs and are not there. `head` is the table's place.
template <typename Value, size_t words, size_t uses>
void check_uses(const config::TableDraft& in, config::Place head, std::string_view word_key,
                const config::Word<Value> (&all)[words], Value value, const KeyUse (&table)[uses]) {
  for (const KeyUse& use : table) {
    const uint32_t bit = set_of(value);
    if (config::is_wrong(in.origins, use.key)) continue;
    const bool is_there = in.origins.contains(use.key);
    const std::string_view word = config::text_of(std::span<const config::Word<Value>>(all), value);
    if ((use.used_with & bit) == 0) {
      std::vector<std::string_view> good;
      for (const config::Word<Value>& each : all)
        if ((use.used_with & set_of(each.value)) != 0) good.push_back(each.text);
      config::report_unused(in, use.key, std::string(word_key) + " = " + config::one_of(good));
    } else if ((use.needed_by & bit) != 0 && !is_there && in.findings.complete) {
      in.findings.report(head,
                         in.title + " has no `" + std::string(use.key) + "`, which " + std::string(word_key) +
                             " = " + config::in_quotes(word) + " needs",
                         use.example.empty() ? "" : "for example " + std::string(use.example));
    }
  }
}

void read_storm(ScenarioReader& reader, const toml::table& table);
void read_target(ScenarioReader& reader, const toml::key& key, const toml::table& table);
void read_runners(ScenarioReader& reader, const toml::table& table);
void read_operation(ScenarioReader& reader, const toml::key& key, const toml::table& table);
void read_arrivals(ScenarioReader& reader, const toml::key& key, const toml::table& table);

// What can only be judged when all of it is known.
void check_scenario(ScenarioDraft& draft);

}  // namespace breakwater::storm
