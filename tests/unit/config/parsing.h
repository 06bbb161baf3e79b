// A configuration out of a text, or what is wrong with the text, in a shape that tests can compare.
#pragma once

#include <doctest/doctest.h>

#include <string>

#include "config/parse.h"

namespace breakwater::config {

inline const std::string minimal =
    "[listen.git]\nbind = \"0.0.0.0:8080\"\n[pool.gogs]\nservers = [\"10.0.0.11:3000\"]\n";

inline Config good(const std::string& text) {
  auto parsed = parse(text);
  if (const auto* problems = std::get_if<Problems>(&parsed)) FAIL(render(*problems, "test.toml", text));
  return std::get<Config>(std::move(parsed));
}

inline Problems bad(const std::string& text) {
  auto parsed = parse(text);
  REQUIRE_MESSAGE(std::holds_alternative<Problems>(parsed), text);
  REQUIRE_FALSE(std::get<Problems>(parsed).empty());
  return std::get<Problems>(std::move(parsed));
}

// The only problem of the minimal file with `more` behind it, as "line:column message | hint". Lines count
// from `more`.
inline std::string only(const std::string& more) {
  const Problems problems = bad(minimal + more);
  if (problems.size() != 1) return render(problems, "test.toml", minimal + more);
  const Problem& problem = problems.front();
  std::string text = std::to_string(static_cast<int>(problem.line) - 4) + ":" +
                     std::to_string(problem.column) + " " + problem.message;
  return problem.hint.empty() ? text : text + " | " + problem.hint;
}

}  // namespace breakwater::config
