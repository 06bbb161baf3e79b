// [dns], and how many addresses the servers of a pool may have.
#include <doctest/doctest.h>

#include <string>

#include "config/schema.h"
#include "config/server.h"
#include "parsing.h"

using namespace breakwater::config;

TEST_CASE("dns: resolvers are addresses, and times have bounds") {
  const Dns dns = good(minimal +
                       "[dns]\nservers = ['10.0.0.2:53', '[fd00::2]:5353']\nmin_ttl = '2s'\n"
                       "max_ttl = '1m'\ntimeout = '500ms'\n")
                      .dns;
  CHECK(dns.servers == std::vector<Endpoint>{{"10.0.0.2", 53}, {"fd00::2", 5353}});
  CHECK(dns.min_ttl == Duration{2'000});
  CHECK(dns.max_ttl == Duration{60'000});
  CHECK(dns.timeout == Duration{500});
  CHECK(
      only("[dns]\nservers = ['ns1:53']\n") ==
      "2:12 \"ns1:53\" in `servers` of [dns] is not a resolver: a resolver is an IP address, which needs no "
      "resolver");
  CHECK(only("[dns]\nservers = ['10.0.0.2:0']\n") ==
        "2:12 \"10.0.0.2:0\" in `servers` of [dns] is not a resolver: it needs a port other than 0");
  CHECK(only("[dns]\nservers = ['10.0.0.2']\n") ==
        "2:12 \"10.0.0.2\" in `servers` of [dns] is not a resolver: the port is missing; write host:port");
  CHECK(only("[dns]\nttl = '1s'\n") ==
        "2:1 unknown key `ttl` in [dns] | keys here are `servers`, `min_ttl`, `max_ttl`, `timeout`");
}

TEST_CASE("dns: of two times that contradict each other the default gives way") {
  CHECK(good(minimal + "[dns]\nmin_ttl = '10m'\n").dns.max_ttl == 10 * minute);
  CHECK(good(minimal + "[dns]\nmax_ttl = '500ms'\n").dns.min_ttl == Duration{500});
  CHECK(only("[dns]\nmax_ttl = '1s'\nmin_ttl = '2s'\n") ==
        "3:11 `min_ttl` in [dns] is 2s, more than the 1s of `max_ttl`");
}

TEST_CASE("dns: a pool has no more slots than a set of servers holds") {
  std::string names;
  for (int index = 0; index < 33; ++index) names += "'git" + std::to_string(index) + ":80',";
  const std::string text = "[listen.a]\nbind = ':1'\n[pool.a]\nservers = [";
  const Problems problems = bad(text + names + "]\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message == "`servers` in [pool.a] may have 264 addresses, more than 256");
  CHECK(problems[0].hint == "a name has 8 unless slots=N stands behind it");
  CHECK(slots_of(good(text + names.substr(0, names.rfind("'git")) + "]\n").pools[0]) == 256);
}
