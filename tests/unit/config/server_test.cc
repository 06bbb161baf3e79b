// A server as operators write it: an address, or a unix socket, and words behind it.
#include "config/server.h"

#include <doctest/doctest.h>

#include <string>

#include "config/schema.h"

using namespace breakwater::config;

namespace {

Server good(std::string_view text) {
  Server server;
  std::string why;
  REQUIRE_MESSAGE(parse_server(text, server, why), why);
  return server;
}

std::string why_not(std::string_view text) {
  Server server{.address = {"untouched", 7}};
  std::string why;
  CHECK_FALSE(parse_server(text, server, why));
  CHECK(server == Server{.address = {"untouched", 7}});
  return why;
}

}  // namespace

TEST_CASE("server: an address, and words behind it in any order") {
  CHECK(good("10.0.0.12:3000") == Server{.address = {"10.0.0.12", 3000}});
  CHECK(good("[fd00::1]:80 backup") == Server{.address = {"fd00::1", 80}, .backup = true});
  CHECK(good("git1:3000 weight=50") == Server{.address = {"git1", 3000}, .weight = 50});
  CHECK(good("git1:3000  weight=0   backup ") ==
        Server{.address = {"git1", 3000}, .weight = 0, .backup = true});
  CHECK(good(" git1:3000 backup weight=256") ==
        Server{.address = {"git1", 3000}, .weight = 256, .backup = true});
}

TEST_CASE("server: a unix socket, whose text is as written") {
  CHECK(good("unix:/run/gogs.sock") == Server{.address = {.path = "/run/gogs.sock"}});
  CHECK(good("unix:/run/gogs.sock weight=7 backup") ==
        Server{.address = {.path = "/run/gogs.sock"}, .weight = 7, .backup = true});
  CHECK(good("unix:/run/gogs.sock").address.text() == "unix:/run/gogs.sock");
  CHECK(good("unix:80") == Server{.address = {"unix", 80}});  // a host of that name
  good("unix:/" + std::string(socket_path_bytes_max - 1, 'x'));
}

TEST_CASE("server: what is refused, with a sentence") {
  CHECK(why_not("") == "an address is missing; write host:port");
  CHECK(why_not("   ") == "an address is missing; write host:port");
  CHECK(why_not(":80") == "it needs a host");
  CHECK(why_not("a:0") == "it needs a port other than 0");
  CHECK(why_not("a:1 weight=257") == "`weight` must be an integer from 0 to 256");
  CHECK(why_not("a:1 weight=-1") == "`weight` must be an integer from 0 to 256");
  CHECK(why_not("a:1 weight=") == "`weight` must be an integer from 0 to 256");
  CHECK(why_not("a:1 weight=1x") == "`weight` must be an integer from 0 to 256");
  CHECK(why_not("a:1 wieght=5") == "unknown word `wieght=5` behind the address; did you mean `weight`?");
  CHECK(why_not("a:1 bakcup") == "unknown word `bakcup` behind the address; did you mean `backup`?");
  CHECK(why_not("a:1 weight 5") ==
        "unknown word `weight` behind the address; there are `weight=50`, `max=20`, `slots=8`, `backup` and "
        "`primary`");
  CHECK(why_not("a:1 backup=yes") == "unknown word `backup=yes` behind the address; did you mean `backup`?");
  CHECK(why_not("a:1 b:2") ==
        "unknown word `b:2` behind the address; there are `weight=50`, `max=20`, `slots=8`, `backup` and "
        "`primary`");
  CHECK(why_not("a:1 weight=1 weight=1") == "`weight` stands there twice");
  CHECK(why_not("a:1 backup backup") == "`backup` stands there twice");
  CHECK(why_not("unix:run/x") == "the path of a unix socket begins with /");
  CHECK(why_not("unix:") == "the path of a unix socket begins with /");
  CHECK(why_not("unix:@abstract") == "the path of a unix socket begins with /");
  CHECK(why_not("unix:/" + std::string(socket_path_bytes_max, 'x')) ==
        "the path of a unix socket has at most 107 bytes");
  CHECK(why_not("unix:/run/\"x") ==
        "the path of a unix socket is of plain ASCII characters, without quotes or backslashes");
  CHECK(why_not("unix:/run/\x01") ==
        "the path of a unix socket is of plain ASCII characters, without quotes or backslashes");
}

TEST_CASE("server: a name has slots, an address has one") {
  CHECK(good("git1:3000 slots=4") == Server{.address = {"git1", 3000}, .slots = 4});
  CHECK(slots_of(good("git1:3000")) == 8);
  CHECK(slots_of(good("git1:3000 slots=64")) == 64);
  for (const char* const text : {"10.0.0.1:80", "[::1]:80", "unix:/run/x"}) CHECK(slots_of(good(text)) == 1);
  const Pool pool{.servers = {good("git1:80"), good("git2:80 slots=2"), good("10.0.0.1:80")}};
  CHECK(slots_of(pool) == 11);
  CHECK(why_not("a:1 slots=0") == "`slots` must be an integer from 1 to 64");
  CHECK(why_not("a:1 slots=65") == "`slots` must be an integer from 1 to 64");
  CHECK(why_not("a:1 slots") ==
        "unknown word `slots` behind the address; there are `weight=50`, `max=20`, `slots=8`, `backup` and "
        "`primary`");
  CHECK(why_not("a:1 slots=1 slots=1") == "`slots` stands there twice");
  CHECK(why_not("10.0.0.1:80 slots=1") == "`slots` is for names; this is one address");
  CHECK(why_not("unix:/run/x slots=1") == "`slots` is for names; this is one address");
}

TEST_CASE("server: how many operations may run on it") {
  CHECK(good("git1:3000").max == 0);
  CHECK(good("10.0.0.12:3000 max=20") == Server{.address = {"10.0.0.12", 3000}, .max = 20});
  CHECK(good("unix:/run/gogs.sock backup max=1000000").max == 1'000'000);
  CHECK(why_not("a:1 max=0") == "`max` must be an integer from 1 to 1000000");
  CHECK(why_not("a:1 max=1000001") == "`max` must be an integer from 1 to 1000000");
  CHECK(why_not("a:1 max=off") == "`max` must be an integer from 1 to 1000000");
  CHECK(why_not("a:1 max=1 max=2") == "`max` stands there twice");
  CHECK(why_not("a:1 mex=1") == "unknown word `mex=1` behind the address; did you mean `max`?");
}

TEST_CASE("server: a service, whose hosts and ports are looked up") {
  const Server service{.address = {.host = "_git._tcp.example.com", .service = true}, .weight = 7};
  CHECK(good("srv:_git._tcp.example.com weight=7") == service);
  CHECK(service.address.text() == "srv:_git._tcp.example.com");
  CHECK(is_name(service.address));
  CHECK(good("srv:80") == Server{.address = {"srv", 80}});  // a host of that name
  CHECK(why_not("srv:_git._tcp.example.com:3000") ==
        "the ports of a service come from its SRV records; leave the port out");
  CHECK(why_not("srv:") == "the name of a service is like _git._tcp.example.com");
  CHECK(why_not("srv:git.example.com") == "the name of a service is like _git._tcp.example.com");
  CHECK(why_not("srv:_git..com") == "the name of a service is like _git._tcp.example.com");
}

TEST_CASE("server: two spellings of one address are the same server") {
  CHECK(same_server({"Host", 80}, {"host", 80}));
  CHECK(same_server({"::1", 80}, {"0:0::1", 80}));
  CHECK_FALSE(same_server({"a", 80}, {"a", 81}));
  CHECK(same_server({.path = "/a"}, {.path = "/a"}));
  CHECK_FALSE(same_server({.path = "/a"}, {.path = "/b"}));
  CHECK_FALSE(same_server({.path = "/a"}, {"a", 0}));
  CHECK_FALSE(same_server({.host = "_a", .service = true}, {"_a", 0}));
}
