// Which peers are believed.
#include "proxy/trust.h"

#include "config/network.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>

#include <string>

using namespace breakwater;
using namespace breakwater::proxy;

namespace {

Address address(const std::string& text) {
  Address made;
  if (inet_pton(AF_INET, text.c_str(), &made.v4.sin_addr) == 1) {
    made.v4.sin_family = AF_INET;
    made.bytes = sizeof made.v4;
    return made;
  }
  REQUIRE(inet_pton(AF_INET6, text.c_str(), &made.v6.sin6_addr) == 1);
  made.v6.sin6_family = AF_INET6;
  made.bytes = sizeof made.v6;
  return made;
}

bool trusts(const std::string& network, const std::string& peer) {
  config::Network parsed;
  std::string why;
  REQUIRE(config::parse_network(network, parsed, why));
  return contains({parsed}, address(peer));
}

}  // namespace

TEST_CASE("networks") {
  CHECK(trusts("10.0.0.0/8", "10.255.1.2"));
  CHECK_FALSE(trusts("10.0.0.0/8", "11.0.0.1"));
  CHECK(trusts("10.1.2.3", "10.1.2.3"));
  CHECK_FALSE(trusts("10.1.2.3", "10.1.2.4"));
  CHECK(trusts("10.1.2.0/23", "10.1.3.4"));
  CHECK_FALSE(trusts("10.1.2.0/23", "10.1.4.4"));
  CHECK(trusts("0.0.0.0/0", "192.0.2.1"));
  CHECK(trusts("2001:db8::/32", "2001:db8:1::5"));
  CHECK_FALSE(trusts("2001:db8::/32", "2001:db9::5"));
  CHECK(trusts("10.0.0.0/8", "::ffff:10.1.1.1"));
  CHECK(trusts("::/0", "192.0.2.1"));
  CHECK_FALSE(contains({}, address("127.0.0.1")));
}
