// The real kernel: loopback TCP, non-blocking, in this thread, which stays on one processor.
#include <fcntl.h>
#include <linux/tcp.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <vector>

#include "base/assert.h"
#include "sim/behaviour/machine.h"

namespace breakwater::behaviour {

struct Machine::Impl {
  int listener = -1;
  int marks_out = -1, marks_in = -1;  // a connection to ourselves: settle()
  std::vector<int> open;
  int keep(int fd) {
    BW_ASSERT(fd >= 0);
    open.push_back(fd);
    return fd;
  }
};

namespace {

Address loopback() {
  Address address;
  address.bytes = sizeof(sockaddr_in);
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int bound(Address& address) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  BW_ASSERT(fd >= 0 && bind(fd, &address.any, address.bytes) == 0);
  BW_ASSERT(getsockname(fd, &address.any, &address.bytes) == 0);
  return fd;
}

}  // namespace

Machine::Machine() : impl_(std::make_unique<Impl>()) {
  signal(SIGPIPE, SIG_IGN);  // as the proxy does
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<size_t>(sched_getcpu()), &here);
  BW_ASSERT(sched_setaffinity(0, sizeof here, &here) == 0);

  Address address = loopback();
  const int listener = bound(address);
  BW_ASSERT(listen(listener, 1) == 0);
  impl_->marks_out = far_connects(address);
  impl_->marks_in = impl_->keep(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC));
  ::close(listener);
}
Machine::~Machine() {
  for (const int fd : impl_->open) ::close(fd);
}

// What a processor sends over loopback arrives in that order, however late a busy machine delivers it
// (net/core/dev.c, the backlog): when the mark is here, all that was sent before it is as well.
void Machine::settle() {
  char mark = 'm';
  BW_ASSERT(send(impl_->marks_out, &mark, 1, MSG_NOSIGNAL) == 1);
  BW_ASSERT(recv(impl_->marks_in, &mark, 1, 0) == 1);
  ::poll(nullptr, 0, 1);  // for what waits for a timer, as some acknowledgments do
}

// Otherwise Linux gives it more when acknowledgments come, and a window that was left half open is used by a
// timer (tcp(7), tcp_wmem; RFC 9293 §3.8.6.2.1). The far side's window is too small for that to make much of
// a difference.
void Machine::fix_room(int fd) {
  const int bytes = 256 * 1024;
  BW_ASSERT(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes) == 0);
}

// An acknowledgment may come 40 ms late or more, and then it makes room (RFC 9293 §3.8.6.3).
bool Machine::is_stuck(int fd) {
  tcp_info info{};
  socklen_t bytes = sizeof info;
  BW_ASSERT(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) == 0);
  return info.tcpi_unacked == 0 && info.tcpi_snd_wnd == 0;
}

Address Machine::far_listener() {
  Address address = loopback();
  impl_->listener = impl_->keep(bound(address));
  BW_ASSERT(listen(impl_->listener, 10) == 0);
  return address;
}
Address Machine::nobody() {
  Address address = loopback();
  impl_->keep(bound(address));  // taken, and nobody listens
  return address;
}
int Machine::far_connects(const Address& address) {
  const int fd = impl_->keep(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int window = 8 * 1024;
  BW_ASSERT(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window) == 0);
  BW_ASSERT(connect(fd, &address.any, address.bytes) == 0);
  BW_ASSERT(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
  return fd;
}
int Machine::far_accepts() {
  return impl_->keep(accept4(impl_->listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
}

void Machine::far_sends(int far, std::string_view bytes) {
  BW_ASSERT(send(far, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
}
std::string Machine::far_receives(int far) {
  std::string all;
  char room[65536];
  for (ssize_t got = 0; (got = recv(far, room, sizeof room, 0)) > 0;)
    all.append(room, static_cast<size_t>(got));
  return all;
}
FarSees Machine::far_sees(int far) {
  char byte = 0;
  const ssize_t got = recv(far, &byte, 1, MSG_PEEK);
  if (got == 0) return FarSees::end;
  return got < 0 && errno == ECONNRESET ? FarSees::reset : FarSees::open;
}
void Machine::far_ends(int far) {
  shutdown(far, SHUT_WR);
}
void Machine::far_closes(int far) {
  ::close(far);
  std::erase(impl_->open, far);
}
void Machine::far_resets(int far) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(far, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  far_closes(far);
}

}  // namespace breakwater::behaviour
