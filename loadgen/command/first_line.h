// The first line of a file: a password or a token, which so is in no list of processes.
#pragma once

#include <fstream>
#include <optional>
#include <string>

namespace breakwater::storm {

// nullopt: the file can't be read, or its first line is empty.
inline std::optional<std::string> first_line_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return std::nullopt;
  if (line.ends_with('\r')) line.pop_back();
  if (line.empty()) return std::nullopt;
  return line;
}

}  // namespace breakwater::storm
