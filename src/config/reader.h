// Single values out of TOML: each function gives the value, or reports what stands there instead and gives
// none. `title` is that of the table, "[timeouts]".
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/draft.h"
#include "config/schema.h"
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

// For a key in a table that doesn't have it: the table that does. Empty if none has.
std::string_view table_with_key(std::string_view name);

template <typename Key, size_t count>
std::vector<std::string_view> names_of(const Key (&keys)[count]) {
  std::vector<std::string_view> names;
  for (const Key& key : keys) names.push_back(key.name);
  return names;
}

class Reader {
 public:
  explicit Reader(bool complete) : draft(complete) {}

  Draft draft;

  template <typename Where>
  void report(const Where& where, std::string message, std::string hint = "") {
    draft.report(place_of(where), std::move(message), std::move(hint));
  }

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

  const toml::table* table(const toml::node& node, const std::string& title);
  // `items` says what is in it: "\"host:port\"".
  const toml::array* array(const toml::node& node, std::string_view key, const std::string& title,
                           std::string_view items, size_t count_max);
  const std::string* text(const toml::node& node, std::string_view key, const std::string& title,
                          std::string_view example);
  std::optional<bool> flag(const toml::node& node, std::string_view key, const std::string& title);
  std::optional<std::string> path(const toml::node& node, std::string_view key, const std::string& title);
  using ParseEndpoint = bool (*)(std::string_view text, Endpoint& endpoint, std::string& why);
  std::optional<Endpoint> bind(const toml::node& node, std::string_view key, const std::string& title,
                               ParseEndpoint parse);
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
  void report_unknown(const toml::key& key, const toml::node& node, const std::string& title,
                      std::span<const std::string_view> known);
  std::optional<size_t> word_index(const toml::node& node, std::string_view key, const std::string& title,
                                   std::span<const std::string_view> words, std::string_view hint);

  template <typename Value>
  static bool store(const std::optional<Value>& value, Value& member) {
    if (value) member = *value;
    return value.has_value();
  }
};

}  // namespace breakwater::config
