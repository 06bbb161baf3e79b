// The text of an address, as logs and X-Forwarded-For show it.
#include "ring/address.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

using namespace breakwater;

namespace {

Address v6(const char* host) {
  Address address;
  address.bytes = sizeof address.v6;
  address.v6.sin6_family = AF_INET6;
  REQUIRE(inet_pton(AF_INET6, host, &address.v6.sin6_addr) == 1);
  address.set_port(65535);
  return address;
}

}  // namespace

TEST_CASE("address: IPv4") {
  Address address;
  address.bytes = sizeof address.v4;
  address.v4.sin_family = AF_INET;
  address.v4.sin_addr.s_addr = htonl(0xC0000207);
  address.set_port(80);
  CHECK(address.host_text() == "192.0.2.7");
  CHECK(address.text() == "192.0.2.7:80");
}

TEST_CASE(
    "address: IPv6 has brackets before a port, the longest one fits, an IPv4-mapped one shows as IPv4") {
  CHECK(v6("::1").host_text() == "::1");
  CHECK(v6("::1").text() == "[::1]:65535");
  const char* const longest = "2001:db8:1111:2222:3333:4444:5555:6666";
  CHECK(v6(longest).text() == "[" + std::string(longest) + "]:65535");
  CHECK(v6("::ffff:192.0.2.7").host_text() == "192.0.2.7");
  CHECK(v6("::ffff:192.0.2.7").text() == "192.0.2.7:65535");
}

TEST_CASE("address: a unix socket shows its path, the longest one fits") {
  for (const std::string& path :
       {std::string("/run/gogs.sock"), "/" + std::string(unix_path_bytes_max - 1, 'x')}) {
    const Address address = Address::of_unix_socket(path);
    CHECK(address.is_unix());
    CHECK_FALSE(address.is_v6());
    CHECK(address.port() == 0);
    CHECK(address.host_text() == path);
    CHECK(address.text() == "unix:" + path);
    CHECK(address.bytes <= sizeof(sockaddr_un));
    CHECK(address.un.sun_path[path.size()] == '\0');
  }
}
