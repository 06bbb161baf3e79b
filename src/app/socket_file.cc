#include "app/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace breakwater::app {

namespace {

// Only a refusal proves that nobody does.
bool somebody_listens(const Address& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const bool refused = connect(fd, &address.any, address.bytes) != 0 && errno == ECONNREFUSED;
  close(fd);
  return !refused;
}

bool make_way(const Address& address, std::string& why) {
  struct stat there{};
  const char* const path = address.un.sun_path;
  if (lstat(path, &there) != 0) return true;
  if (!S_ISSOCK(there.st_mode))
    why = "a file that is no socket is there";
  else if (somebody_listens(address))
    why = "another program listens there";
  else if (unlink(path) != 0 && errno != ENOENT)
    why = std::string("the old socket can't be removed: ") + strerror(errno);
  return why.empty();
}

}  // namespace

bool SocketFile::bind(int fd, const Address& address, std::string& why) {
  why.clear();
  if (!make_way(address, why)) return false;
  // The file gets the mode of the descriptor (less the umask), so it is never open to others, not even for an
  // instant.
  if (fchmod(fd, 0600) != 0 || ::bind(fd, &address.any, address.bytes) != 0) {
    why = strerror(errno);
    return false;
  }
  struct stat made{};
  if (lstat(address.un.sun_path, &made) != 0) {
    why = strerror(errno);
    return false;
  }
  path_ = address.un.sun_path;
  device_ = made.st_dev;
  number_ = made.st_ino;
  return true;
}

void SocketFile::remove() noexcept {
  struct stat there{};
  const bool is_ours = !path_.empty() && lstat(path_.c_str(), &there) == 0 && there.st_dev == device_ &&
                       there.st_ino == number_;
  if (is_ours) unlink(path_.c_str());
  path_.clear();
}

}  // namespace breakwater::app
