#include "app/look_of_files.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

namespace breakwater::app {

std::string look_of(const std::string& folder, const std::vector<std::string>& files) {
  std::vector<std::string> paths = files;
  if (!folder.empty()) {
    std::error_code error;
    std::filesystem::directory_iterator each(folder, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error))
      paths.push_back(each->path());
  }
  std::ranges::sort(paths);  // a folder tells them in any order
  std::string look;
  for (const std::string& path : paths) {
    if (path.empty()) continue;
    struct stat is{};
    const int error = stat(path.c_str(), &is) == 0 ? 0 : errno;
    look += fmt::format("{} {} {} {} {}.{} {}\n", path, error, is.st_dev, is.st_ino, is.st_ctim.tv_sec,
                        is.st_ctim.tv_nsec, is.st_size);
  }
  return look;
}

}  // namespace breakwater::app
