#include "app/read_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace breakwater::app {

bool read_file(const std::string& path, size_t bytes_max, std::string& bytes, std::string& why) {
  const auto fail = [&why](std::string reason) {
    why = std::move(reason);
    return false;
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(strerror(errno));
  struct stat about{};
  const bool is_file = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
  ssize_t got = 0;
  size_t filled = 0;
  bytes.resize(bytes_max + 1);
  while (is_file && filled < bytes.size() &&
         (got = read(fd, bytes.data() + filled, bytes.size() - filled)) > 0)
    filled += static_cast<size_t>(got);
  const int error = errno;
  close(fd);
  bytes.resize(filled);
  if (!is_file) return fail("it is no file");
  if (got < 0) return fail(strerror(error));
  if (filled > bytes_max) return fail("it has more than " + std::to_string(bytes_max) + " bytes");
  return true;
}

}  // namespace breakwater::app
