// Scenarios out of texts, or what is wrong with the texts, in a shape that tests can compare.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <variant>

#include "plan/read_scenario.h"

namespace breakwater::storm {

inline const std::string least_scenario =
    "[target]\nurl = \"http://127.0.0.1:3000\"\nrepositories = [\"/a/b.git\"]\n"
    "[operation.clone]\nverb = \"clone\"\n[arrivals.steady]\nrate = \"10/s\"\n";
inline constexpr int lines_of_least_scenario = 7;

inline ScenarioFile good_scenario(const std::string& text, std::string_view url = {}) {
  auto read = read_scenario(text, url);
  if (const auto* problems = std::get_if<config::Problems>(&read))
    FAIL(config::render(*problems, "test.toml", text, "nothing was begun"));
  return std::get<ScenarioFile>(std::move(read));
}

// Its problems, each as "line:column message | hint" and a line feed. Lines count from 1, those of
// `least_scenario` are none.
inline std::string wrong_in(const std::string& text, int first_line = 0) {
  const auto read = read_scenario(text);
  const auto* const problems = std::get_if<config::Problems>(&read);
  REQUIRE_MESSAGE(problems != nullptr, text);
  std::string all;
  for (const config::Problem& each : *problems) {
    all += std::to_string(static_cast<int>(each.line) - first_line) + ":" + std::to_string(each.column) +
           " " + each.message + (each.hint.empty() ? "" : " | " + each.hint) + "\n";
  }
  return all;
}
// Of the smallest scenario with `more` behind it.
inline std::string wrong_behind(const std::string& more) {
  return wrong_in(least_scenario + more, lines_of_least_scenario);
}

}  // namespace breakwater::storm
