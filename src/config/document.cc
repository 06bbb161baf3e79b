#include "config/document.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "config/parse_text.h"

namespace breakwater::config {

Problems read_document(std::string_view text, const ReadTables& read) {
  Problems problems = check_text(text);
  if (!problems.empty()) return problems;

  toml::table root;
  std::optional<Problem> syntax = parse_toml(text, root);
  if (!syntax)
    problems = read(root, true);
  else if (toml::table above; !parse_toml(lines_before(text, syntax->line), above))
    problems = read(above, false);
  if (syntax) problems.push_back(std::move(*syntax));

  for (Problem& problem : problems) move_into(text, problem);
  std::sort(problems.begin(), problems.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.line, a.column, a.message) < std::tie(b.line, b.column, b.message);
  });
  return problems;
}

}  // namespace breakwater::config
