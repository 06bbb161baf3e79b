// What git said, of tests/fuzz/corpus/storm_git: a letter that says which reader it is for (git_readers.h),
// then the bytes of the answer.
#pragma once

#include <filesystem>
#include <string>

#include "unit/text_of_file.h"

namespace breakwater::storm {

inline std::string recorded(const std::string& name) {
  return text_of_file(std::filesystem::path(RECORDED_GIT) / name);
}

}  // namespace breakwater::storm
