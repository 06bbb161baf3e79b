// The bare repositories below one directory: from a URL path to a folder, and nowhere else on the disk.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::origin {

class Repositories {
 public:
  // Throws std::filesystem::filesystem_error if `root` is no directory.
  explicit Repositories(const std::filesystem::path& root);

  // `name` is the decoded URL path of a repository without a leading slash ("team/project.git", or without
  // ".git"). nullopt if there is none, or if the path would leave the root, by dots or by a symbolic link.
  std::optional<std::filesystem::path> find(std::string_view name) const;

  // Names relative to the root, sorted, at most `names_max`.
  static constexpr size_t names_max = 1000;
  std::vector<std::string> names() const;

 private:
  std::filesystem::path root_;  // canonical
};

// May a dumb client read this file of a repository? HEAD, info/refs, objects/info/packs, loose objects and
// packs.
bool is_dumb_file(std::string_view file);

}  // namespace breakwater::origin
