// Connections for which there are no descriptors, and what is said of them.
#include "app/descriptors.h"

#include <doctest/doctest.h>

using namespace breakwater;
using namespace breakwater::app;

TEST_CASE("descriptors: connections give way to pipes and a reserve") {
  const config::Limits limits{.connections = 10'000, .pipes = 256};
  CHECK(connections_that_fit(limits, 1, 1'000'000) == 10'000);
  CHECK(connections_that_fit(limits, 1, 20'640) == 10'000);
  CHECK(connections_that_fit(limits, 1, 20'638) == 9'999);
  CHECK(connections_that_fit(limits, 2, 2 * 20'638) == 9'999);
  CHECK(connections_that_fit(limits, 8, 1024) == 16);
}

TEST_CASE("descriptors: one more than pipes and reserve take left no connection") {
  const config::Limits limits{.connections = 10'000, .pipes = 256};
  for (const uint64_t descriptors : {1u, 500u, 640u, 641u, 671u, 672u})
    CHECK(connections_that_fit(limits, 1, descriptors) == 16);
  CHECK(connections_that_fit(limits, 1, 674) == 17);
  CHECK(connections_that_fit({.connections = 1}, 1, 641) == 1);
}

TEST_CASE("descriptors: sixteen connections a core were left, and nothing was said of it") {
  const config::Limits limits{.connections = 10'000, .pipes = 256};
  const std::string warning = few_connections_warning(limits, 8, 1024);
  CHECK(warning.starts_with("each core takes 16 client connections at most, and not 10000 as configured: "));
  CHECK(warning.find("may have 1024 descriptors, and 8 cores with 256 pipes each would need 165120;") !=
        std::string::npos);
  CHECK(warning.find("LimitNOFILE") != std::string::npos);
  CHECK(few_connections_warning(limits, 1, 10'639) != "");
  CHECK(few_connections_warning(limits, 1, 10'640) == "");
  CHECK(few_connections_warning({.connections = 1}, 1, 1024) == "");
}
