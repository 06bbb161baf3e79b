#include "command/output_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace breakwater::storm {

namespace {

std::string why_not_written(const std::string& path) {
  return path + " can't be written: " + std::strerror(errno);
}

}  // namespace

std::expected<OutputFile, std::string> OutputFile::open(const std::string& path) {
  constexpr mode_t anybody = 0666;  // as the process's umask has it
  int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, anybody);
  const bool is_new = fd >= 0;
  if (!is_new && errno == EEXIST) fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, anybody);
  if (fd < 0) return std::unexpected(why_not_written(path));
  return OutputFile(path, fd, is_new);
}

OutputFile::OutputFile(std::string path, int fd, bool is_new) noexcept
    : path_(std::move(path)), fd_(fd), is_new_(is_new) {}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      is_new_(std::exchange(other.is_new_, false)) {}

OutputFile::~OutputFile() {
  if (is_new_) ::unlink(path_.c_str());
  if (fd_ >= 0) ::close(fd_);
}

std::string OutputFile::write(std::string_view text) {
  is_new_ = false;
  // What is no regular file has no length.
  if (::ftruncate(fd_, 0) != 0 && errno != EINVAL) return why_not_written(path_);
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return why_not_written(path_);
    text.remove_prefix(static_cast<size_t>(written));
  }
  // Of some file systems it is only known now.
  return ::close(std::exchange(fd_, -1)) == 0 ? std::string() : why_not_written(path_);
}

}  // namespace breakwater::storm
