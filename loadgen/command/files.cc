#include "command/files.h"

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

std::expected<std::string, std::string> read_file(const std::string& path, size_t bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::unexpected(path + " can't be read");
  std::string text;
  char block[64 * 1024];
  // A byte more than there may be shows that there are more.
  while (text.size() <= bytes_max && (file.read(block, sizeof block), file.gcount() > 0))
    text.append(block, static_cast<size_t>(file.gcount()));
  if (file.bad() || !file.eof())
    return std::unexpected(path + (file.bad() ? " can't be read" : " is too large"));
  return text;
}

}  // namespace breakwater::storm
