// Round robin and what a client connection remembers.
#include "backends/balancer.h"

#include <doctest/doctest.h>

using namespace breakwater::backends;

TEST_CASE("round robin visits all servers in turn, from where it was told to start") {
  RoundRobin balancer(3, 4);
  CHECK(balancer.pick() == 1);
  CHECK(balancer.pick() == 2);
  CHECK(balancer.pick() == 0);
  CHECK(balancer.after(2) == 0);
}

TEST_CASE("an operation's server is remembered by repository") {
  Affinity affinity;
  CHECK(affinity.server_for("a") == Affinity::none);
  affinity.remember("a", 2);
  CHECK(affinity.server_for("a") == 2);
  CHECK(affinity.server_for("b") == Affinity::none);
}
