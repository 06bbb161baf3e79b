// The one door to toml++: its bounds are ours, and it is compiled into toml.cc alone. Only the files that
// read tables include this.
#pragma once

#include <optional>
#include <string_view>

#include "config/problems.h"

namespace breakwater::config {
[[noreturn]] void toml_gave_up();
}

// toml++ asserts on some texts that are only malformed ("[`" is one), and with NDEBUG it assumes instead.
// Here a broken assertion of its own becomes an error of the file: see parse_toml().
#undef NDEBUG
#define TOML_ASSERT(condition) ((condition) ? static_cast<void>(0) : ::breakwater::config::toml_gave_up())
#undef TOML_SHARED_LIB
#undef TOML_HEADER_ONLY
#define TOML_HEADER_ONLY 0
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_MAX_NESTED_VALUES 8  // ours are two levels deep; toml++ recurses
#include <toml++/toml.h>

namespace breakwater::config {

// Fills `root`, or says why `text` is not TOML, with the place that toml++ names: it may lie outside of the
// text. `text` must have passed check_text(). Nothing else of toml++ throws.
std::optional<Problem> parse_toml(std::string_view text, toml::table& root);

}  // namespace breakwater::config
