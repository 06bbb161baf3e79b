// Which peers are believed.
#include "proxy/trust.h"

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
  const std::optional<Network> parsed = parse_network(network);
  REQUIRE(parsed);
  return contains({*parsed}, address(peer));
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
  for (const char* bad : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "::1/129", "host", "10.0.0/8"}) {
    CHECK_FALSE(parse_network(bad));
  }
  CHECK_FALSE(contains({}, address("127.0.0.1")));
}
