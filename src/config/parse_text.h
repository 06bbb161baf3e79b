// The file as text, before it is TOML: what is refused so that toml++ never sees it, and places in it.
#pragma once

#include <cstdint>
#include <string_view>

#include "config/problems.h"

namespace breakwater::config {

// 1 to name_bytes_max letters, digits, `-` or `_`: what may name a table.
bool is_name(std::string_view name);

// Everything in `text` that must not reach the parser: too many bytes, and lines that would hurt it.
Problems check_text(std::string_view text);

// The lines above `line`, which counts from 1.
std::string_view lines_before(std::string_view text, uint32_t line);

// Makes the place of `problem` one that exists: toml++ may point one past the last line, or behind a line's
// end.
void move_into(std::string_view text, Problem& problem);

}  // namespace breakwater::config
