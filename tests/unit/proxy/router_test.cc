// Which pool a request belongs to.
#include "proxy/router.h"

#include <doctest/doctest.h>

using namespace breakwater;

namespace {

config::Config configuration() {
  config::Config config;
  for (const char* const name : {"main", "lfs", "team", "wild", "exact"})
    config.pools.emplace_back().name = name;
  config.listens.resize(2);
  config.listens[0].name = "a";
  config.listens[1].name = "b";
  config.listens[0].pool = config.listens[1].pool = "main";
  config.routes = {{"1", "", "", "/lfs/", "lfs"},
                   {"2", "", "", "/lfs/team", "team"},
                   {"3", "", "*.example.com", "", "wild"},
                   {"4", "", "git.example.com", "", "exact"},
                   {"5", "b", "", "/only-b", "team"}};
  return config;
}

}  // namespace

TEST_CASE("router: the listener's own pool, the longest path, and hosts before paths") {
  const config::Config config = configuration();
  const proxy::Router router(config, config.listens[0]);
  const auto pool = [&](std::string_view host, std::string_view target) {
    return config.pools[router.pool_for(host, target)].name;
  };
  CHECK(pool("h", "/") == "main");
  CHECK(pool("", "*") == "main");
  CHECK(pool("h", "/lfs") == "lfs");
  CHECK(pool("h", "/lfs/x?y=/lfs/team") == "lfs");
  CHECK(pool("h", "/lfs?a") == "lfs");
  CHECK(pool("h", "/lfsx") == "main");
  CHECK(pool("h", "/lfs/team/x") == "team");
  CHECK(pool("h", "/lfs/teams") == "lfs");
  CHECK(pool("h", "/l%66s/x") == "lfs");
  CHECK(pool("h", "/l%zz") == "main");
  CHECK(pool("x.example.com", "/lfs/x") == "wild");
  CHECK(pool("a.b.EXAMPLE.com:8080", "/") == "wild");
  CHECK(pool("example.com", "/") == "main");
  CHECK(pool("badexample.com", "/") == "main");
  CHECK(pool("GIT.example.com:80", "/lfs/x") == "exact");
  CHECK(pool("[::1]:80", "/") == "main");
  CHECK(pool("h", "/only-b") == "main");
  const proxy::Router other(config, config.listens[1]);
  CHECK(config.pools[other.pool_for("h", "/only-b")].name == "team");
}
