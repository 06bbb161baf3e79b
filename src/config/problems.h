// What is wrong with a text, found while it is read, and how an operator is told. Knows nothing of TOML, nor
// of what the text is for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace breakwater::config {

struct Place {
  uint32_t line = 0, column = 0;  // from 1; 0 when the whole file is meant
};

struct Problem {
  uint32_t line = 0, column = 0;  // as of Place
  std::string message;            // "unknown key `idel` in [timeouts]"
  std::string hint;               // "did you mean `idle`?" or empty
};

using Problems = std::vector<Problem>;

struct Findings {
  // `complete` is false when the text ends early at a syntax error: then nothing is reported as missing.
  explicit Findings(bool is_complete) : complete(is_complete) {}

  void report(Place place, std::string message, std::string hint = "") {
    problems.push_back({place.line, place.column, std::move(message), std::move(hint)});
  }

  const bool complete;
  Problems problems;
};

// Problems as an operator reads them: `file:line:col: error: message`, the line, a caret, the hint, and a
// last line that counts them and says what came of it.
std::string render(const Problems& problems, std::string_view file_name, std::string_view toml,
                   std::string_view outcome = "nothing was started");

}  // namespace breakwater::config
