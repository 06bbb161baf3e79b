#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace breakwater::bench {

void give_up(const std::string& sentence) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, sentence.c_str());
  std::exit(1);
}

sockaddr_in parse_address(const std::string& text) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  const size_t colon = text.find(':');
  uint16_t port = 0;
  const char* const end = text.data() + text.size();
  if (colon == std::string::npos ||
      inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1 ||
      std::from_chars(text.data() + colon + 1, end, port).ptr != end) {
    give_up("'" + text + "' is not ADDRESS:PORT");
  }
  address.sin_port = htons(port);
  return address;
}

int new_socket() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) give_up(std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

int listen_on(const sockaddr_in& address) {
  const int fd = new_socket();
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      listen(fd, SOMAXCONN) != 0) {
    give_up(std::string("cannot listen: ") + std::strerror(errno));
  }
  return fd;
}

uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t bytes = sizeof address;
  if (getsockname(listener, reinterpret_cast<sockaddr*>(&address), &bytes) != 0)
    give_up("getsockname failed");
  return ntohs(address.sin_port);
}

int new_epoll() {
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) give_up(std::string("epoll_create1: ") + std::strerror(errno));
  return epoll;
}

namespace {

void control(int epoll, int operation, int fd, uint32_t id, uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u32 = id;
  if (epoll_ctl(epoll, operation, fd, &event) != 0)
    give_up(std::string("epoll_ctl: ") + std::strerror(errno));
}

}  // namespace

void watch(int epoll, int fd, uint32_t id, uint32_t events) {
  control(epoll, EPOLL_CTL_ADD, fd, id, events);
}
void rewatch(int epoll, int fd, uint32_t id, uint32_t events) {
  control(epoll, EPOLL_CTL_MOD, fd, id, events);
}

uint64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return uint64_t(now.tv_sec) * 1'000'000'000 + uint64_t(now.tv_nsec);
}

}  // namespace breakwater::bench
