// What the admin listener decides without a connection: whose requests it answers.
#include <doctest/doctest.h>

#include <string>

#include "app/admin_guard.h"

using namespace breakwater::app;

TEST_CASE("guard: a Host that a page's name could not be") {
  for (const std::string host : {"", "127.0.0.1", "127.0.0.1:9090", "10.1.2.3:80", "[::1]", "[::1]:9090",
                                 "localhost", "LocalHost:1"}) {
    CAPTURE(host);
    CHECK(is_own_host(host));
  }
  for (const char* host :
       {"example.com", "example.com:9090", "127.0.0.1.example.com", "localhost.example.com", "1.2.3",
        "[example.com]", "[::1", "[]", ":80", "127.0.0.1.", "0x7f.1", "2130706433"}) {
    CAPTURE(host);
    CHECK_FALSE(is_own_host(host));
  }
}
