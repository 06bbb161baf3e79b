#include "base/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace breakwater {

bool read_file(const std::string& path, size_t bytes_max, std::string& bytes, std::string& why) {
  constexpr size_t part_max = 64 * 1024;
  bytes.clear();
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat about{};
  if (fd >= 0 && fstat(fd, &about) == 0 && S_ISREG(about.st_mode))
    bytes.reserve(std::min(static_cast<size_t>(about.st_size) + part_max, bytes_max));
  ssize_t got = fd < 0 ? -1 : 1;
  while (got > 0 && bytes.size() < bytes_max) {
    const size_t filled = bytes.size();
    bytes.resize(filled + std::min(part_max, bytes_max - filled));
    got = read(fd, bytes.data() + filled, bytes.size() - filled);
    bytes.resize(filled + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  }
  if (got < 0) why = strerror(errno);
  if (fd >= 0) close(fd);
  return got >= 0;
}

}  // namespace breakwater
