#include "config/parse_text.h"

#include <algorithm>
#include <optional>
#include <string>

#include "base/utf8.h"
#include "config/rules.h"
#include "config/units.h"

namespace breakwater::config {
namespace {

constexpr unsigned dots_per_line_max = 8;

uint32_t column_of(std::string_view line, size_t byte) {
  uint32_t column = 1;
  for (size_t at = 0; at < byte; at += std::max<size_t>(utf8_character_bytes(line.substr(at)), 1)) ++column;
  return column;
}

// True if a line holds letters beyond ASCII only where TOML certainly reads them as part of a string or a
// comment: in a line that is all comment, in the one string of `key = "string"`, or in a comment behind that.
bool letters_are_quoted(std::string_view line) {
  const auto beyond = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  if (std::none_of(line.begin(), line.end(), beyond)) return true;
  const auto skip = [&line](auto wanted) {
    size_t count = 0;
    while (count < line.size() && wanted(line[count])) count++;
    line.remove_prefix(count);
    return count;
  };
  const auto is_space = [](char c) { return c == ' ' || c == '\t'; };
  skip(is_space);
  if (line.starts_with('#')) return true;
  const auto is_key = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '-';
  };
  if (skip(is_key) == 0) return false;
  skip(is_space);
  if (!line.starts_with('=')) return false;
  line.remove_prefix(1);
  skip(is_space);
  if (line.empty() || (line[0] != '"' && line[0] != '\'')) return false;
  const char quote = line[0];
  size_t at = 1;
  while (at < line.size() && line[at] != quote) at += line[at] == '\\' && quote == '"' ? 2 : 1;
  if (at >= line.size()) return false;
  line.remove_prefix(at + 1);
  skip(is_space);
  return line.empty() || line == "\r" || line.starts_with('#');
}

// toml++ (3.3, 3.4) goes one level deeper on the stack for each part of a dotted key, without a bound, and
// its test for non-ASCII white space has undefined behaviour ("1\u02AD"), and it asserts on odd bytes where a
// table's name should stand; the fuzzer found both. So the text is looked over first: no key of many parts,
// no control characters, names where they should be, ASCII outside of quotes as TOML 1.0 wants it, and no
// multi-line strings (which we have no use for), so that quotes end on their line and this scan agrees with
// TOML about what is quoted.
std::optional<Problem> check_line(std::string_view line, uint32_t number) {
  if (!letters_are_quoted(line)) {
    return Problem{number, 1, "only strings and comments may hold letters beyond ASCII", ""};
  }
  if (line.ends_with('\r')) line.remove_suffix(1);
  const auto is_control = [](char c) {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
  };
  const auto control = std::find_if(line.begin(), line.end(), is_control);
  if (control != line.end())
    return Problem{number, column_of(line, static_cast<size_t>(control - line.begin())),
                   "a control character", "remove it"};

  if (const size_t open = line.find_first_not_of(" \t");
      open != std::string_view::npos && line[open] == '[') {
    const size_t name = line.find_first_not_of(" \t[", open);
    if (name != std::string_view::npos && !is_name(line.substr(name, 1)) && line[name] != '"' &&
        line[name] != '\'')
      return Problem{number, column_of(line, name), "a table's name must stand here",
                     "write it as in [timeouts]"};
  }

  char quote = '\0';
  unsigned dots = 0;
  for (size_t at = 0; at < line.size(); ++at) {
    const char c = line[at];
    if (quote != '\0') {
      if (c == '\\' && quote == '"')
        ++at;
      else if (c == quote)
        quote = '\0';
    } else if (c == '#') {
      break;
    } else if (c == '"' || c == '\'') {
      if (line.substr(at, 3) == std::string(3, c))
        return Problem{number, column_of(line, at), "multi-line strings are not used here",
                       "write it in one line"};
      quote = c;
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      return Problem{number, column_of(line, at), "only strings and comments may hold letters beyond ASCII",
                     "quote it"};
    } else if (c == '.' && ++dots > dots_per_line_max) {
      return Problem{number, column_of(line, at), "a key of too many parts",
                     "tables are two levels deep at most"};
    }
  }
  return std::nullopt;
}

}  // namespace

bool is_name(std::string_view name) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= name_bytes_max && std::all_of(name.begin(), name.end(), allowed);
}

Problems check_text(std::string_view text) {
  if (text.size() > file_bytes_max)
    return {{0, 0, "the file is larger than " + format_size(file_bytes_max), "is it the right file?"}};
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark, which some editors write
  Problems problems;
  uint32_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (auto problem = check_line(text.substr(0, end), ++number)) problems.push_back(std::move(*problem));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return problems;
}

std::string_view lines_before(std::string_view text, uint32_t line) {
  size_t at = 0;
  for (uint32_t number = 1; number < line && at < text.size(); ++number) {
    const size_t end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return text.substr(0, at);
}

void move_into(std::string_view text, Problem& problem) {
  if (problem.line == 0) return;
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  problem.line = std::min(problem.line, lines);
  const std::string_view rest = text.substr(lines_before(text, problem.line).size());
  const std::string_view line = rest.substr(0, rest.find('\n'));
  problem.column = std::clamp(problem.column, 1u, column_of(line, line.size()));
}

}  // namespace breakwater::config
