#include "app/admin.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ring/sys.h"

namespace breakwater::app {

namespace {

// Addresses that only this machine can reach.
bool is_local(const Address& address) {
  if (address.is_unix()) return true;
  if (!address.is_v6()) return ntohl(address.v4.sin_addr.s_addr) >> 24 == 127;
  const in6_addr& v6 = address.v6.sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
}

// The kernel vouches for who is on the other end of a unix socket.
std::string name_of(int fd, const Address& peer) {
  if (!peer.is_unix()) return peer.text();
  ucred credentials{};
  socklen_t bytes = sizeof credentials;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) != 0) return "uid unknown";
  return "uid " + std::to_string(credentials.uid);
}

}  // namespace

Admin::~Admin() {
  if (stop_event_ >= 0) sys::signal_event(stop_event_);
  if (thread_.joinable()) thread_.join();
  file_.remove();
  if (fd_ >= 0) close(fd_);
  if (stop_event_ >= 0) close(stop_event_);
}

bool Admin::open(Address& address, std::string& why) {
  std::string reason;
  if (!listen_at(address, reason)) {
    why = "the admin listener can't use " + address.text() + ": " + reason;
    return false;
  }
  if (!address.is_unix()) {
    address.bytes = sizeof address.v6;
    getsockname(fd_, &address.any, &address.bytes);
  }
  may_change_ = is_local(address);
  return true;
}

bool Admin::listen_at(const Address& address, std::string& why) {
  stop_event_ = sys::make_event();
  fd_ = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (stop_event_ >= 0 && fd_ >= 0) {
    if (!bind(address, why)) return false;
    if (listen(fd_, 64) == 0) return true;
  }
  why = strerror(errno);
  return false;
}

bool Admin::bind(const Address& address, std::string& why) {
  if (address.is_unix()) return file_.bind(fd_, address, why);
  const int yes = 1;
  setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (::bind(fd_, &address.any, address.bytes) == 0) return true;
  why = strerror(errno);
  if (errno == EADDRINUSE)
    why +=
        " (another program listens there: if it is a Breakwater that drains, wait for its end, "
        "or give this one another address: --admin)";
  return false;
}

void Admin::start() {
  thread_ = std::thread([this] { run(); });
}

void Admin::run() {
  for (;;) {
    std::array<pollfd, 2> polled{{{fd_, POLLIN, 0}, {stop_event_, POLLIN, 0}}};
    poll(polled.data(), polled.size(), -1);
    if (polled[1].revents != 0) return;
    Address peer;
    peer.bytes = sizeof(sockaddr_un);
    const int client = accept4(fd_, &peer.any, &peer.bytes, SOCK_CLOEXEC);
    if (client < 0) {
      if (errno != EAGAIN && errno != EINTR) poll(nullptr, 0, 10);  // no descriptors, say: try again
      continue;
    }
    serve(client, peer);
    close(client);
  }
}

void Admin::serve(int fd, const Address& peer) {
  AdminConnection connection(fd, stop_event_);
  AdminRequest request;
  request.who = name_of(fd, peer);
  request.may_change = may_change_;
  AdminAnswer answer;
  const AdminConnection::Got got = connection.read(request, answer);
  if (got == AdminConnection::Got::nothing) return;
  if (got == AdminConnection::Got::request) answer = handler_(request);
  connection.send(answer, request.method != "HEAD");
}

}  // namespace breakwater::app
