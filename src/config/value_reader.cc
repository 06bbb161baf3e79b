#include "config/value_reader.h"

#include <charconv>

#include "config/message.h"
#include "config/nearest.h"
#include "config/parse_text.h"
#include "config/units.h"

namespace breakwater::config {

using namespace std::string_literals;

namespace {

Place place_at(const toml::source_region& region) {
  return {region.begin.line, region.begin.column};
}

std::string or_off(bool takes_off) {
  return takes_off ? ", or \"off\"" : "";
}
std::string bounds(const DurationRule& rule) {
  return format_duration(rule.min) + " to " + format_duration(rule.max) + or_off(rule.takes_off);
}
std::string bounds(const SizeKey& key) {
  return format_size(key.min) + " to " + format_size(key.max) + or_off(key.takes_off);
}
std::string bounds(const CountRule& rule) {
  return std::to_string(rule.min) + " to " + std::to_string(rule.max) + or_off(rule.takes_off);
}
std::string in_percent(const CountRule& rule) {
  return std::to_string(rule.min) + "% to " + std::to_string(rule.max) + "%" + or_off(rule.takes_off);
}

std::optional<uint32_t> parse_percent(std::string_view text) {
  uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view rest(end, static_cast<size_t>(text.data() + text.size() - end));
  if (error != std::errc{} || rest != "%") return std::nullopt;
  return number;
}

bool is_off(const toml::node& node, bool takes_off) {
  return takes_off && node.is_string() && node.as_string()->get() == "off";
}

}  // namespace

std::vector<Entry> in_file_order(const toml::table& table) {
  std::vector<Entry> entries;
  for (const auto& [key, node] : table) entries.push_back({&key, &node});
  const auto place = [](const Entry& entry) {
    const Place begin = place_of(*entry.key);
    return std::pair(begin.line, begin.column);
  };
  std::sort(entries.begin(), entries.end(),
            [&](const Entry& a, const Entry& b) { return place(a) < place(b); });
  return entries;
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

Place place_of(const toml::node& node) {
  return place_at(node.source());
}
Place place_of(const toml::key& key) {
  return place_at(key.source());
}
Origin origin_of(const toml::node& node, bool good) {
  return {good ? Origin::From::file : Origin::From::wrong, place_of(node)};
}

void ValueReader::report_unknown(const toml::key& key, const toml::node& node, const std::string& title,
                                 std::span<const std::string_view> known) {
  const std::string_view name = key.str();
  const std::string_view near = nearest(name, known);
  const std::string_view owner = table_with_key_(name);
  std::string hint = did_you_mean(near);
  if (near.empty()) hint = owner.empty() ? "keys here are " + joined(known) : "it belongs in "s.append(owner);
  report(key, "unknown " + (node.is_table() ? "table "s : "key "s) + ticked(name) + " in " + title,
         std::move(hint));
}

void ValueReader::report_unknown_table(const toml::key& key, const toml::node& node,
                                       std::span<const std::string_view> tables) {
  const std::string_view name = key.str();
  const std::string_view near = nearest(name, tables);
  const std::string_view owner = table_with_key_(name);
  if (!node.is_table()) {
    report(key, "unknown key " + ticked(name) + " outside of any table",
           owner.empty() ? did_you_mean(near) : "it belongs in "s.append(owner));
  } else {
    report(key, "unknown table [" + shown(name) + "]",
           near.empty() ? "tables are " + joined(tables) : "did you mean [" + std::string(near) + "]?");
  }
}

const toml::table* ValueReader::named_tables(const toml::node& node, std::string_view kind,
                                             std::string_view example) {
  const std::string name(kind);
  const toml::table* const tables = node.as_table();
  if (tables == nullptr)
    report(node, "expected tables named [" + name + ".NAME], found " + found(node));
  else if (tables->empty() && is_complete())
    report(node, "[" + name + "] is empty",
           "give it a name, as in [" + name + "." + std::string(example) + "]");
  return tables;
}

const toml::table* ValueReader::named_table(const toml::key& key, const toml::node& node,
                                            std::string_view kind, std::string_view example, size_t count_max,
                                            size_t& count) {
  const std::string of(kind);
  const std::string_view name = key.str();
  const toml::table* const table = node.as_table();
  if (table != nullptr && is_name(name) && count < count_max) {
    ++count;
    return table;
  }
  if (table == nullptr)
    report(key, "expected a table [" + of + "." + shown(name) + "], found " + found(node),
           "keys go into a table with a name, as in [" + of + "." + std::string(example) + "]");
  else if (!is_name(name))
    report(key, in_quotes(name) + " can't name a " + of,
           "a name is 1 to " + std::to_string(name_bytes_max) + " letters, digits, `-` or `_`");
  else if (count++ == count_max)  // said once
    report(key, "more than " + std::to_string(count_max) + " [" + of + ".NAME] tables");
  return nullptr;
}

const toml::table* ValueReader::table(const toml::node& node, const std::string& title) {
  const toml::table* const table = node.as_table();
  if (table == nullptr) report(node, "expected a table " + title + ", found " + found(node));
  return table;
}

const toml::array* ValueReader::array(const toml::node& node, std::string_view key, const std::string& title,
                                      std::string_view items, size_t count_max) {
  const std::string subject = ticked(key) + " in " + title;
  const toml::array* const array = node.as_array();
  if (array == nullptr) {
    report(node, subject + " must be an array of " + std::string(items) + ", found " + found(node),
           node.is_string() ? "write " + std::string(key) + " = [" + in_quotes(node.as_string()->get()) + "]"
                            : "");
  } else if (array->size() > count_max) {
    report(node, subject + " has " + std::to_string(array->size()) + " entries; it may have " +
                     std::to_string(count_max));
    return nullptr;
  }
  return array;
}

const std::string* ValueReader::text(const toml::node& node, std::string_view key, const std::string& title,
                                     std::string_view example) {
  const auto* const text = node.as_string();
  if (text != nullptr) return &text->get();
  report(node, ticked(key) + " in " + title + " must be a string (" + std::string(example) + "), found " +
                   found(node));
  return nullptr;
}

std::optional<bool> ValueReader::flag(const toml::node& node, std::string_view key,
                                      const std::string& title) {
  if (const auto* flag = node.as_boolean()) return flag->get();
  report(node, ticked(key) + " in " + title + " must be true or false, found " + found(node));
  return std::nullopt;
}

std::optional<std::string> ValueReader::path(const toml::node& node, std::string_view key,
                                             const std::string& title) {
  const std::string* const path = text(node, key, title, "the path of a file");
  if (path == nullptr) return std::nullopt;
  if (!path->empty() && path->find('\0') == std::string::npos) return *path;
  report(node, ticked(key) + " in " + title + " is not the path of a file");
  return std::nullopt;
}

std::optional<Duration> ValueReader::duration(const toml::node& node, const DurationRule& rule,
                                              const std::string& title) {
  if (is_off(node, rule.takes_off)) return Duration{0};
  const auto* const text = node.as_string();
  const auto duration = text != nullptr ? parse_duration(text->get()) : std::nullopt;
  if (duration && *duration >= rule.min && *duration <= rule.max) return duration;
  std::string hint;
  if (text == nullptr) {
    const auto* const number = node.as_integer();
    const bool seconds = number != nullptr && number->get() > 0;
    hint = seconds ? "write the unit: \"" + std::to_string(number->get()) + "s\""
                   : "durations look like \"30s\"";
  } else if (!duration) {
    hint = "durations look like \"500ms\", \"30s\", \"10m\" or \"1h\"";
  } else if (rule.takes_off && duration->count() == 0) {
    hint = "write \"off\"";
  }
  report(node,
         ticked(rule.name) + " in " + title + " must be a duration from " + bounds(rule) + ", found " +
             (text != nullptr ? in_quotes(text->get()) : found(node)),
         std::move(hint));
  return std::nullopt;
}

std::optional<uint64_t> ValueReader::size(const toml::node& node, const SizeKey& key,
                                          const std::string& title) {
  if (is_off(node, key.takes_off)) return 0;
  const auto* const text = node.as_string();
  const auto bytes = text != nullptr ? parse_size(text->get()) : std::nullopt;
  if (bytes && *bytes >= key.min && *bytes <= key.max) return bytes;
  std::string hint;
  if (text == nullptr) {
    const auto* const number = node.as_integer();
    const bool plain = number != nullptr && number->get() > 0;
    hint = plain ? "write \"" + format_size(static_cast<uint64_t>(number->get())) + "\""
                 : "sizes look like \"16KiB\"";
  } else if (!bytes) {
    hint = "sizes look like \"4096\", \"16KiB\", \"1MiB\" or \"1GiB\"";
  } else if (*bytes == 0 && key.takes_off) {
    hint = "write \"off\"";
  }
  report(node,
         ticked(key.name) + " in " + title + " must be a size from " + bounds(key) + ", found " +
             (text != nullptr ? in_quotes(text->get()) : found(node)),
         std::move(hint));
  return std::nullopt;
}

std::optional<uint32_t> ValueReader::count(const toml::node& node, const CountRule& rule,
                                           const std::string& title, std::string hint) {
  if (is_off(node, rule.takes_off)) return 0;
  const auto* const number = node.as_integer();
  if (number != nullptr && number->get() >= rule.min && number->get() <= rule.max)
    return static_cast<uint32_t>(number->get());
  report(node,
         ticked(rule.name) + " in " + title + " must be an integer from " + bounds(rule) + ", found " +
             found(node),
         std::move(hint));
  return std::nullopt;
}

std::optional<uint32_t> ValueReader::percent(const toml::node& node, const CountRule& rule,
                                             const std::string& title) {
  if (is_off(node, rule.takes_off)) return 0;
  const auto* const text = node.as_string();
  const auto percent = text != nullptr ? parse_percent(text->get()) : std::nullopt;
  if (percent && *percent >= rule.min && *percent <= rule.max) return percent;
  const auto* const number = node.as_integer();
  const bool lacks_sign = number != nullptr && number->get() >= rule.min && number->get() <= rule.max;
  report(node,
         ticked(rule.name) + " in " + title + " must be a percentage from " + in_percent(rule) + ", found " +
             (text != nullptr ? in_quotes(text->get()) : found(node)),
         lacks_sign ? "write \"" + std::to_string(number->get()) + "%\"" : "");
  return std::nullopt;
}

std::optional<size_t> ValueReader::word_index(const toml::node& node, std::string_view key,
                                              const std::string& title,
                                              std::span<const std::string_view> words,
                                              std::string_view hint) {
  const std::string choice = one_of(words);
  const std::string* const word = text(node, key, title, choice);
  if (word == nullptr) return std::nullopt;
  const auto known = std::find(words.begin(), words.end(), *word);
  if (known != words.end()) return static_cast<size_t>(known - words.begin());
  const std::string_view near = nearest(*word, words);
  report(node, ticked(key) + " in " + title + " must be " + choice + ", found " + in_quotes(*word),
         near.empty() ? std::string(hint) : did_you_mean(near));
  return std::nullopt;
}

}  // namespace breakwater::config
