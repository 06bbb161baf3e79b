#include "command/write_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>

namespace breakwater::storm {

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) fmt::print(stderr, "stormgen: {} can't be written\n", path);
  return !file.fail();
}

}  // namespace breakwater::storm
