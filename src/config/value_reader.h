// Single values out of TOML: each function gives the value, or reports what stands there instead and gives
// none. `title` is that of the table, "[timeouts]". Knows nothing of what the file is for.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/origins.h"
#include "config/problems.h"
#include "config/rules.h"
#include "config/toml.h"

namespace breakwater::config {

struct Entry {
  const toml::key* key;
  const toml::node* node;
};

// toml++ keeps tables sorted by name; operators think in the order they wrote.
std::vector<Entry> in_file_order(const toml::table& table);

// "the integer 30", "a table": what a message says of a value that does not fit.
std::string found(const toml::node& node);

Place place_of(const toml::node& node);
Place place_of(const toml::key& key);
Origin origin_of(const toml::node& node, bool good);

template <typename Key, size_t count>
std::vector<std::string_view> names_of(const Key (&keys)[count]) {
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

class ValueReader {
 public:
  // For a key in a table that doesn't have it: the table that does, "[timeouts]". Empty if none has.
  using TableWithKey = std::string_view (*)(std::string_view key);

  // Problems go to `findings`, which outlives this.
  ValueReader(Findings& findings, TableWithKey table_with_key)
      : findings_(findings), table_with_key_(table_with_key) {}

  template <typename Where>
  void report(const Where& where, std::string message, std::string hint = "") {
    findings_.report(place_of(where), std::move(message), std::move(hint));
  }
  // False: the text ends early, so nothing can be called missing.
  bool is_complete() const { return findings_.complete; }

  // Calls handler(name, node) for each key of `table` that is in `known`; the others are reported. `name` is
  // the one in `known`.
  template <typename Handler>
  void each_key(const toml::table& table, const std::string& title, std::span<const std::string_view> known,
                Handler handler) {
    for (const auto& [key, node] : in_file_order(table)) {
      const auto name = std::find(known.begin(), known.end(), key->str());
      if (name != known.end())
        handler(*name, *node);
      else
        report_unknown(*key, *node, title, known);
    }
  }

  // The same for all tables [KIND.NAME] under `node`: handler(key, table). `example` is a name, for hints.
  // False: one of them could not be read.
  template <typename Handler>
  bool each_named(const toml::node& node, std::string_view kind, std::string_view example, size_t count_max,
                  Handler handler) {
    const toml::table* const tables = named_tables(node, kind, example);
    if (tables == nullptr) return false;
    bool all_good = true;
    size_t count = 0;
    for (const auto& [key, entry] : in_file_order(*tables)) {
      const toml::table* const table = named_table(*key, *entry, kind, example, count_max, count);
      if (table != nullptr)
        handler(*key, *table);
      else
        all_good = false;
    }
    return all_good;
  }

  const toml::table* table(const toml::node& node, const std::string& title);
  // `key` stands where only tables do, and is none of `tables`.
  void report_unknown_table(const toml::key& key, const toml::node& node,
                            std::span<const std::string_view> tables);
  // `items` says what is in it: "\"host:port\"".
  const toml::array* array(const toml::node& node, std::string_view key, const std::string& title,
                           std::string_view items, size_t count_max);
  const std::string* text(const toml::node& node, std::string_view key, const std::string& title,
                          std::string_view example);
  std::optional<bool> flag(const toml::node& node, std::string_view key, const std::string& title);
  std::optional<std::string> path(const toml::node& node, std::string_view key, const std::string& title);
  std::optional<Duration> duration(const toml::node& node, const DurationRule& rule,
                                   const std::string& title);
  std::optional<uint64_t> size(const toml::node& node, const SizeKey& key, const std::string& title);
  std::optional<uint32_t> count(const toml::node& node, const CountRule& rule, const std::string& title,
                                std::string hint = "");
  std::optional<uint32_t> percent(const toml::node& node, const CountRule& rule, const std::string& title);
  // `hint` is shown where no word is near the one that stands there.
  template <typename Value>
  std::optional<Value> word(const toml::node& node, std::string_view key, const std::string& title,
                            std::span<const Word<Value>> words, std::string_view hint) {
    std::vector<std::string_view> texts;
    for (const Word<Value>& each : words) texts.push_back(each.text);
    const std::optional<size_t> index = word_index(node, key, title, texts, hint);
    if (!index) return std::nullopt;
    return words[*index].value;
  }

  // Into the member of `owner` that `key` is of. True if the value is good.
  template <typename Owner>
  bool read(const toml::node& node, const DurationKey<Owner>& key, const std::string& title, Owner& owner) {
    return store(duration(node, key, title), owner.*key.member);
  }
  template <typename Owner>
  bool read(const toml::node& node, const CountKey<Owner>& key, const std::string& title, Owner& owner) {
    return store(count(node, key, title), owner.*key.member);
  }
  template <typename Owner>
  bool read(const toml::node& node, const PercentKey<Owner>& key, const std::string& title, Owner& owner) {
    return store(percent(node, key, title), owner.*key.member);
  }
  template <typename Owner>
  bool read(const toml::node& node, const FlagKey<Owner>& key, const std::string& title, Owner& owner) {
    return store(flag(node, key.name, title), owner.*key.member);
  }
  template <typename Owner>
  bool read(const toml::node& node, const PathKey<Owner>& key, const std::string& title, Owner& owner) {
    return store(path(node, key.name, title), owner.*key.member);
  }
  template <typename Owner, typename Value>
  bool read(const toml::node& node, const WordKey<Owner, Value>& key, const std::string& title,
            Owner& owner) {
    return store(word(node, key.name, title, key.words, key.hint), owner.*key.member);
  }

 private:
  const toml::table* named_tables(const toml::node& node, std::string_view kind, std::string_view example);
  const toml::table* named_table(const toml::key& key, const toml::node& node, std::string_view kind,
                                 std::string_view example, size_t count_max, size_t& count);
  void report_unknown(const toml::key& key, const toml::node& node, const std::string& title,
                      std::span<const std::string_view> known);
  std::optional<size_t> word_index(const toml::node& node, std::string_view key, const std::string& title,
                                   std::span<const std::string_view> words, std::string_view hint);

  template <typename Value>
  static bool store(const std::optional<Value>& value, Value& member) {
    if (value) member = *value;
    return value.has_value();
  }

  Findings& findings_;
  const TableWithKey table_with_key_;
};

}  // namespace breakwater::config
