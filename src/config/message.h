// What the sentences of problems are made of. A file may hold anything, so what is shown of it is cleaned and
// cut.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace breakwater::config {

inline constexpr size_t shown_bytes_max = 48;  // of a user's text inside a message

// A user's text for a message: no control bytes, not endless.
std::string shown(std::string_view text, size_t bytes_max = shown_bytes_max);
std::string ticked(std::string_view name);        // `name`
std::string in_quotes(std::string_view text);     // "text"
std::string did_you_mean(std::string_view name);  // empty for an empty name

std::string joined(std::span<const std::string_view> names);  // `a`, `b`, and "..." behind the eighth
std::string one_of(std::span<const std::string_view> words);  // "a", "b" or "c"

}  // namespace breakwater::config
