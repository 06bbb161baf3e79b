#include "app/socket_file.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "base/second.h"
#include "ring/sys.h"

namespace breakwater::app {

namespace {

enum class Listens { nobody, draining_breakwater, somebody };

constexpr int64_t patience_ns = 2 * second_ns;
constexpr std::string_view question = "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
constexpr std::string_view draining_head = "HTTP/1.1 503 ", draining_body = "\r\n\r\ndraining\n";

// What `call` returns, or -1 at the deadline. The work that a closed ring left to this thread interrupts a
// call like a signal does, so it is made again.
template <typename Call>
ssize_t until(int64_t deadline_ns, int fd, const Call& call) {
  for (;;) {
    const int64_t left_us = (deadline_ns - sys::monotonic_ns()) / 1000;
    if (left_us <= 0) {
      errno = ETIMEDOUT;
      return -1;
    }
    const timeval left{.tv_sec = left_us / 1'000'000, .tv_usec = left_us % 1'000'000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &left, sizeof left);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &left, sizeof left);  // a connect waits no longer either
    const ssize_t done = call();
    if (done >= 0 || errno != EINTR) return done;
  }
}

// What the admin listener of a Breakwater says of itself (admin_pages.h). Another program says something
// else.
bool says_that_it_drains(int fd, int64_t deadline_ns) {
  const ssize_t sent =
      until(deadline_ns, fd, [fd] { return send(fd, question.data(), question.size(), MSG_NOSIGNAL); });
  if (sent != static_cast<ssize_t>(question.size())) return false;
  std::array<char, 1024> room;
  size_t filled = 0;
  ssize_t got = 1;
  while (filled < room.size() && got > 0) {
    got = until(deadline_ns, fd, [&] { return recv(fd, room.data() + filled, room.size() - filled, 0); });
    if (got > 0) filled += static_cast<size_t>(got);
  }
  const std::string_view answer(room.data(), filled);
  return got == 0 && answer.starts_with(draining_head) && answer.ends_with(draining_body);
}

// Only a refusal proves that nobody does.
Listens who_listens(const Address& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Listens::somebody;
  const int64_t deadline_ns = sys::monotonic_ns() + patience_ns;
  Listens who = Listens::somebody;
  if (until(deadline_ns, fd, [&] { return ssize_t{connect(fd, &address.any, address.bytes)}; }) < 0)
    who = errno == ECONNREFUSED ? Listens::nobody : Listens::somebody;
  else if (says_that_it_drains(fd, deadline_ns))
    who = Listens::draining_breakwater;
  close(fd);
  return who;
}

bool make_way(const Address& address, std::string& why) {
  struct stat there{};
  const char* const path = address.un.sun_path;
  if (lstat(path, &there) != 0) return true;
  if (!S_ISSOCK(there.st_mode))
    why = "a file that is no socket is there";
  else if (who_listens(address) == Listens::somebody)
    why =
        "another program listens there; if it is a Breakwater, stop it "
        "(one that drains leaves its place to the next), or give this one another address (--admin)";
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
