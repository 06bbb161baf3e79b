// [route.NAME]: what is taken, and that each name, host and path is checked.
#include <doctest/doctest.h>

#include <string>

#include "config/network.h"
#include "config/schema.h"
#include "parsing.h"

using namespace breakwater::config;

TEST_CASE("route: every key, in the order of the file") {
  const Config config = good(minimal + R"(
[route.lfs]
listen = "git"
host = "Git.Example.COM"
path = "/lfs/"
pool = "gogs"
[route.all]
host = "*.example.com"
pool = "gogs"
[route.api]
path = "/api"
pool = "gogs"
)");
  REQUIRE(config.routes.size() == 3);
  CHECK(config.routes[0].name == "lfs");
  CHECK(config.routes[0].listen == "git");
  CHECK(config.routes[0].host == "git.example.com");
  CHECK(config.routes[0].path == "/lfs/");
  CHECK(config.routes[0].pool == "gogs");
  CHECK(config.routes[1].name == "all");
  CHECK(config.routes[1].listen.empty());
  CHECK(config.routes[1].host == "*.example.com");
  CHECK(config.routes[1].path.empty());
  CHECK(config.routes[2].host.empty());
  CHECK(config.routes[2].path == "/api");
}

TEST_CASE("route: before the pools and listeners it names, and to several pools") {
  const Config config = good(
      "[route.a]\npath = '/a'\npool = 'two'\nlisten = 'git'\n[route.b]\npath = '/b'\npool = 'gogs'\n"
      "[listen.git]\nbind = ':80'\npool = 'gogs'\n[pool.gogs]\nservers = ['a:1']\n[pool.two]\nservers = "
      "['b:1']\n");
  CHECK(config.routes[0].pool == "two");
  CHECK(config.routes[1].pool == "gogs");
}

TEST_CASE("route: what it needs, and names that must be there") {
  CHECK(only("[route.a]\npath = \"/a\"\n") == "1:8 [route.a] has no `pool` | for example pool = \"gogs\"");
  CHECK(
      only("[route.a]\npool = \"gogs\"\n") ==
      "1:8 [route.a] has neither `host` nor `path` | what fits no route goes to the `pool` of its listener");
  CHECK(only("[route.a]\npath = \"/a\"\npool = \"gosg\"\n") ==
        "3:8 there is no [pool.gosg] for [route.a] | did you mean `gogs`?");
  CHECK(only("[route.a]\npath = \"/a\"\npool = \"unrelated\"\n") ==
        "3:8 there is no [pool.unrelated] for [route.a] | pools are `gogs`");
  CHECK(only("[route.a]\npath = \"/a\"\npool = \"gogs\"\nlisten = \"gti\"\n") ==
        "4:10 there is no [listen.gti] for [route.a] | did you mean `git`?");
  CHECK(only("[route.a]\npath = \"/a\"\npool = \"gogs\"\nlisten = \"other-one\"\n")
            .ends_with("| listeners are `git`"));
  CHECK(only("[route.a]\npaht = \"/a\"\nhost = \"a\"\npool = \"gogs\"\n") ==
        "2:1 unknown key `paht` in [route.a] | did you mean `path`?");
  CHECK(
      only("[route]\npath = \"/a\"\n") ==
      "2:1 expected a table [route.path], found the string \"/a\" | keys go into a table with a name, as in "
      "[route.git]");
  CHECK(only("[route.\"a b\"]\npath = \"/a\"\n").starts_with("1:8 \"a b\" can't name a route"));
  CHECK(only("[routes.a]\npath = \"/a\"\n") == "1:2 unknown table [routes] | did you mean [route]?");
}

TEST_CASE("route: wrong types and values") {
  CHECK(only("[route.a]\npath = 5\npool = \"gogs\"\n") ==
        "2:8 `path` in [route.a] must be a string (\"/lfs/\"), found the integer 5");
  CHECK(
      only("[route.a]\nhost = []\npool = \"gogs\"\n") ==
      "2:8 `host` in [route.a] must be a string (\"git.example.com\" or \"*.example.com\"), found an array");
  CHECK(only("[route.a]\npath = \"/a\"\npool = 5\n") ==
        "3:8 `pool` in [route.a] must be a string (the name of a pool), found the integer 5");
  CHECK(only("[route.a]\npath = \"/a\"\npool = \"gogs\"\nlisten = 5\n") ==
        "4:10 `listen` in [route.a] must be a string (the name of a listen), found the integer 5");
  CHECK(only("[route.a]\npath = \"lfs\"\npool = \"gogs\"\n") ==
        "2:8 `path` in [route.a] can't be \"lfs\": a path begins with /");
  CHECK(only("[route.a]\npath = \"\"\npool = \"gogs\"\n") ==
        "2:8 `path` in [route.a] can't be \"\": a path begins with /");
  CHECK(only("[route.a]\nhost = \"a:80\"\npool = \"gogs\"\n") ==
        "2:8 `host` in [route.a] can't be \"a:80\": a host is a name or an IPv4 address, without a port");
}

TEST_CASE("route: hosts") {
  std::string why;
  for (const char* host : {"git.example.com", "*.example.com", "localhost", "10.0.0.1", "A-b_c.D"}) {
    CAPTURE(host);
    CHECK(check_host_pattern(host, why));
    CHECK(why.empty());
  }
  for (const char* host : {"", "*", "*.", "a.*.b", "**.a", "*.*.a", "a:80", "[::1]", "a.", "-a", "a..b", ".a",
                           "a b", "a/b", "http://a", "h\xC3\xB6"}) {
    CAPTURE(host);
    CHECK_FALSE(check_host_pattern(host, why));
    CHECK_FALSE(why.empty());
  }
}

TEST_CASE("route: no two for the same requests") {
  const std::string first = "[route.a]\nhost = \"a.example\"\npath = \"/x\"\npool = \"gogs\"\n[route.b]\n";
  CHECK(only(first + "path = \"/x\"\nhost = \"A.EXAMPLE\"\npool = \"gogs\"\n") ==
        "5:8 [route.b] is for the same requests as [route.a] in line 5");
  good(minimal + first + "path = \"/x\"\npool = \"gogs\"\n");
  good(minimal + first + "path = \"/x\"\nhost = \"a.example\"\nlisten = \"git\"\npool = \"gogs\"\n");
}

TEST_CASE(
    "route: of two paths that differ by a slash at their end the second was never taken, and nothing said "
    "so") {
  const std::string fault = " is for the same requests as [route.a] in line 5";
  CHECK(only("[route.a]\npath = \"/x\"\npool = \"gogs\"\n[route.b]\npath = \"/x/\"\npool = \"gogs\"\n") ==
        "4:8 [route.b]" + fault);
  CHECK(only("[route.a]\nhost = \"a\"\npool = \"gogs\"\n[route.b]\nhost = \"a\"\npath = \"/\"\npool = "
             "\"gogs\"\n") == "4:8 [route.b]" + fault);
  good(minimal + "[route.a]\npath = \"/x\"\npool = \"gogs\"\n[route.b]\npath = \"/x/y/\"\npool = \"gogs\"\n");
}

TEST_CASE("route: no more than there may be") {
  std::string text = minimal;
  for (size_t index = 0; index < routes_max; ++index)
    text += "[route.r" + std::to_string(index) + "]\npath='/" + std::to_string(index) + "'\npool='gogs'\n";
  CHECK(good(text).routes.size() == routes_max);
  const Problems problems =
      bad(text + "[route.x]\npath='/x'\npool='gogs'\n[route.y]\npath='/y'\npool='gogs'\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message == "more than 1024 [route.NAME] tables");
}
