// What a key of a file may be: a word of several, a duration, a size, a count, a percentage within bounds;
// and which member of its owner it fills in. The keys themselves are in schema.h, and in that of stormgen.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/units.h"

namespace breakwater::config {

// ---- bounds of the file itself, so that no text can make the parser use much time, memory or stack

inline constexpr size_t file_bytes_max = 1 << 20;
inline constexpr size_t name_bytes_max = 64;  // of a table: they go into every log line

// ---- choices

// A word of a choice, and what it stands for.
template <typename Value>
struct Word {
  std::string_view text;
  Value value;
};

template <typename Value>
constexpr std::string_view text_of(std::span<const Word<Value>> words, Value value) {
  for (const Word<Value>& word : words)
    if (word.value == value) return word.text;
  return {};
}

template <typename Owner, typename Value>
struct WordKey {
  std::string_view name;
  Value Owner::* member;
  std::span<const Word<Value>> words;
  std::string_view hint;  // where no word is near the one that stands there
};

// ---- files and flags

template <typename Owner>
struct PathKey {
  std::string_view name;
  std::string Owner::* member;
};

template <typename Owner>
struct FlagKey {
  std::string_view name;
  bool Owner::* member;
};

// ---- durations

inline constexpr Duration second{1'000};
inline constexpr Duration minute = 60 * second;
inline constexpr Duration hour = 60 * minute;

struct DurationRule {
  std::string_view name;
  Duration min, max;
  bool takes_off = false;       // "off" is stored as 0
  std::string_view waited_for;  // a sentence: what ends the wait in time
  std::string_view when_over;   // another: what comes of it otherwise, as the client sees it
};

template <typename Owner>
struct DurationKey : DurationRule {
  Duration Owner::* member;
};

// The key called `name`, which must be there.
template <typename Owner, size_t count>
constexpr const DurationKey<Owner>& key_of(const DurationKey<Owner> (&keys)[count], std::string_view name) {
  return *std::find_if(keys, keys + count, [name](const auto& key) { return key.name == name; });
}

// ---- counts and sizes

struct SizeKey {
  std::string_view name;
  uint64_t min, max;
  bool takes_off = false;  // "off" is stored as 0
};

struct CountRule {
  std::string_view name;
  uint32_t min, max;
  bool takes_off = false;  // "off" is stored as 0
};

template <typename Owner>
struct CountKey : CountRule {
  uint32_t Owner::* member;
};

// Written with its sign: "50%".
template <typename Owner>
struct PercentKey : CountRule {
  uint32_t Owner::* member;
};

}  // namespace breakwater::config
