// What direct system calls leave behind on the real kernel.
#include "ring/sys.h"

#include <doctest/doctest.h>
#include <netinet/tcp.h>
#include <unistd.h>

#include "ring/address.h"

using namespace breakwater;

namespace {

int option(int fd, int level, int name) {
  int value = -1;
  socklen_t bytes = sizeof value;
  CHECK(getsockopt(fd, level, name, &value, &bytes) == 0);
  return value;
}

void check_tuned(int fd) {
  CHECK(option(fd, IPPROTO_TCP, TCP_NODELAY) == 1);
  CHECK(option(fd, SOL_SOCKET, SO_KEEPALIVE) == 1);
  CHECK(option(fd, IPPROTO_TCP, TCP_KEEPIDLE) == 60);
  CHECK(option(fd, IPPROTO_TCP, TCP_KEEPINTVL) == 15);
  CHECK(option(fd, IPPROTO_TCP, TCP_KEEPCNT) == 4);
}

}  // namespace

TEST_CASE("connections are tuned on both sides; accepted ones by their listener") {
  Address address;
  address.bytes = sizeof address.v4;
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int listener = sys::listen_on(address, 1, true);
  REQUIRE(listener >= 0);
  const int here = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(here >= 0);
  REQUIRE(connect(here, &address.any, address.bytes) == 0);
  const int accepted = accept(listener, nullptr, nullptr);
  REQUIRE(accepted >= 0);
  check_tuned(accepted);
  sys::tune_connection(here);
  check_tuned(here);
  for (const int fd : {accepted, here, listener}) close(fd);
}
