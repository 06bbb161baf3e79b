// What git said, of tests/fuzz/corpus/storm_git: a letter that says which reader it is for (git_readers.h),
// then the bytes of the answer.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace breakwater::storm {

inline std::string recorded(const std::string& name) {
  std::ifstream file(std::filesystem::path(RECORDED_GIT) / name, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  REQUIRE(bytes.size() > 1);
  return bytes;
}

}  // namespace breakwater::storm
