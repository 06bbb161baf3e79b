#include "origin/repositories.h"

#include <algorithm>
#include <system_error>

namespace breakwater::origin {

namespace fs = std::filesystem;

namespace {

// Every segment must be a plain name: not empty, not starting with a dot, without control bytes or
// backslashes.
bool is_plain_path(std::string_view path) {
  while (true) {
    const size_t slash = path.find('/');
    const std::string_view segment = path.substr(0, slash);
    if (segment.empty() || segment.front() == '.') return false;
    const bool odd = std::ranges::any_of(
        segment, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; });
    if (odd) return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

bool is_bare_repository(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "HEAD", ignored) && fs::is_directory(folder / "objects", ignored) &&
         fs::is_directory(folder / "refs", ignored);
}

bool is_hex(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Repositories::Repositories(const fs::path& root) : root_(fs::canonical(root)) {
  if (!fs::is_directory(root_)) {
    throw fs::filesystem_error("cannot serve", root_, std::make_error_code(std::errc::not_a_directory));
  }
}

std::optional<fs::path> Repositories::find(std::string_view name) const {
  if (!is_plain_path(name)) return std::nullopt;
  for (const std::string_view suffix : {"", ".git"}) {
    std::error_code failed;
    fs::path folder = fs::canonical(root_ / (std::string(name) + std::string(suffix)), failed);
    if (failed) continue;
    const auto [root_end, rest] = std::ranges::mismatch(root_, folder);
    if (root_end != root_.end()) continue;
    if (is_bare_repository(folder)) return folder;
  }
  return std::nullopt;
}

std::vector<std::string> Repositories::names() const {
  static constexpr int folders_deep_max = 3;
  std::vector<std::string> names;
  std::error_code failed;
  fs::recursive_directory_iterator entry(root_, fs::directory_options::skip_permission_denied, failed);
  while (!failed && entry != fs::recursive_directory_iterator() && names.size() < names_max) {
    if (is_bare_repository(entry->path())) {
      names.push_back(entry->path().lexically_relative(root_).string());
      entry.disable_recursion_pending();
    } else if (entry.depth() + 1 >= folders_deep_max) {
      entry.disable_recursion_pending();
    }
    entry.increment(failed);
  }
  std::ranges::sort(names);
  return names;
}

bool is_dumb_file(std::string_view file) {
  if (file == "HEAD" || file == "info/refs" || file == "objects/info/packs") return true;
  static constexpr std::string_view packs = "objects/pack/pack-";
  if (file.starts_with(packs)) {
    file.remove_prefix(packs.size());
    if (file.ends_with(".pack"))
      file.remove_suffix(5);
    else if (file.ends_with(".idx"))
      file.remove_suffix(4);
    else
      return false;
    return (file.size() == 40 || file.size() == 64) && is_hex(file);
  }
  static constexpr std::string_view objects = "objects/";
  if (!file.starts_with(objects)) return false;
  file.remove_prefix(objects.size());
  const bool loose = (file.size() == 41 || file.size() == 65) && file[2] == '/';
  return loose && is_hex(file.substr(0, 2)) && is_hex(file.substr(3));
}

}  // namespace breakwater::origin
