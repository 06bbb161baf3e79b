// A text as a TOML document, read as strictly as our files are: what must not reach the parser is found
// first, and behind a syntax error the lines above it are still read, so that their problems show in the same
// run.
#pragma once

#include <functional>
#include <string_view>

#include "config/problems.h"
#include "config/toml.h"

namespace breakwater::config {

// Calls `read` at most once, with the tables of `text` or of the lines above its syntax error (then
// `complete` is false), and gives what it found and what else is wrong, in the order of the places. Empty:
// `read` was called, and all is well.
using ReadTables = std::function<Problems(const toml::table& root, bool complete)>;
Problems read_document(std::string_view text, const ReadTables& read);

}  // namespace breakwater::config
