// Problems as text for a terminal. The file may hold anything, so what is shown of it is cleaned and cut.
#include <algorithm>

#include "base/utf8.h"
#include "config/problems.h"

namespace breakwater::config {
namespace {

constexpr size_t columns_max = 100;    // of a line that is shown
constexpr size_t columns_before = 40;  // kept in front of the caret when a line is cut

std::string_view line_at(std::string_view text, uint32_t line) {
  for (uint32_t number = 1; number < line; ++number) {
    const size_t end = text.find('\n');
    if (end == std::string_view::npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// One entry per column; control characters and broken UTF-8 become '?', a tab one blank.
std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> columns;
  while (!line.empty()) {
    const size_t bytes = utf8_character_bytes(line);
    const std::string_view character = line.substr(0, std::max<size_t>(bytes, 1));
    if (character == "\t")
      columns.push_back(" ");
    else
      columns.push_back(bytes == 0 || utf8_is_control(character) ? "?" : character);
    line.remove_prefix(character.size());
  }
  return columns;
}

// How many columns the caret should underline: the key, the quoted string or the table head that begins at
// `from`.
size_t underlined(const std::vector<std::string_view>& columns, size_t from) {
  if (from >= columns.size()) return 1;
  const std::string_view first = columns[from];
  const auto is_bare = [](std::string_view c) {
    const char b = c[0];
    return (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || (b >= '0' && b <= '9') || b == '_' ||
           b == '-' || b == '.';
  };
  size_t end = from + 1;
  if (first == "\"" || first == "'") {
    while (end < columns.size() && columns[end] != first)
      end += columns[end] == "\\" && first == "\"" ? 2 : 1;
    ++end;
  } else if (first == "[") {
    while (end < columns.size() && columns[end] != "]") ++end;
    ++end;
  } else if (is_bare(first)) {
    while (end < columns.size() && is_bare(columns[end])) ++end;
  }
  return std::min(end, columns.size()) - from;
}

void append_source(std::string& out, const Problem& problem, std::string_view toml) {
  const std::vector<std::string_view> columns = columns_of(line_at(toml, problem.line));
  const size_t caret = std::min<size_t>(problem.column == 0 ? 0 : problem.column - 1, columns.size());
  const size_t begin = caret + 20 > columns_max ? caret - columns_before : 0;
  const size_t end = std::min(columns.size(), begin + columns_max);
  const std::string number = std::to_string(problem.line);
  const std::string_view lead = begin > 0 ? "..." : "";

  out.append("  ").append(number).append(" | ").append(lead);
  for (size_t index = begin; index < end; ++index) out.append(columns[index]);
  out.append(end < columns.size() ? "...\n" : "\n");
  out.append(2 + number.size(), ' ').append(" | ").append(lead.size() + caret - begin, ' ');
  out.append(
      std::clamp<size_t>(underlined(columns, caret), 1, std::max<size_t>(end - std::min(caret, end), 1)),
      '^');
  if (!problem.hint.empty()) out.append(" ").append(problem.hint);
  out.append("\n");
}

}  // namespace

std::string render(const Problems& problems, std::string_view file_name, std::string_view toml,
                   std::string_view outcome) {
  std::string out;
  for (const Problem& problem : problems) {
    out.append(file_name);
    if (problem.line != 0)
      out.append(":").append(std::to_string(problem.line)).append(":").append(std::to_string(problem.column));
    out.append(": error: ").append(problem.message).append("\n");
    if (problem.line != 0)
      append_source(out, problem, toml);
    else if (!problem.hint.empty())
      out.append("  ").append(problem.hint).append("\n");
  }
  out.append(std::to_string(problems.size())).append(problems.size() == 1 ? " error; " : " errors; ");
  return out.append(outcome).append("\n");
}

}  // namespace breakwater::config
