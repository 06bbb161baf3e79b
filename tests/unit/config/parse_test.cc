// The configuration: what is taken, and that every mistake is named, with its place and a hint, in one go.
#include "config/parse.h"

#include <doctest/doctest.h>

#include <string>

#include "config/schema.h"
#include "parsing.h"

using namespace breakwater::config;
using namespace std::string_literals;

TEST_CASE("parse: the smallest file, all else by default") {
  const Config config = good(minimal);
  REQUIRE(config.listens.size() == 1);
  CHECK(config.listens[0].name == "git");
  CHECK(config.listens[0].bind == Endpoint{"0.0.0.0", 8080});
  CHECK(config.listens[0].pool == "gogs");  // the only one
  CHECK(config.listens[0].trusted.empty());
  REQUIRE(config.pools.size() == 1);
  CHECK(config.pools[0].servers == std::vector<Server>{{.address = {"10.0.0.11", 3000}}});
  CHECK(config.timeouts.idle == Timeouts{}.idle);
  CHECK(config.limits.head_bytes == Limits{}.head_bytes);
  CHECK(config.log.target == Log::Target::standard_output);
  CHECK_FALSE(config.admin_enabled);
  CHECK(config.cores == 0);
  CHECK(config.pin);
  CHECK(config.sandbox);
}

TEST_CASE("parse: every key") {
  const Config config = good(R"(
[listen.git]
bind = "[::1]:8080"
pool = "b"
trusted = ["10.0.0.0/8", "fd00::/8", "192.0.2.1"]
[listen.other]
bind = ":8081"
pool = "a"
[pool.b]
servers = ["gogs-1:3000", "gogs-2:3000"]
[pool.a]
servers = ["[fd00::1]:3000"]
[timeouts]
head = "1s"
keep_alive = "2s"
connect = "500ms"
advertise = "3s"
response = "1h"
idle = "10m"
client_pace = "1KiB"
client_pace_window = "30s"
server_idle = "4s"
linger = "5s"
drain = "6s"
[limits]
connections = 5
servers_idle = 6
head_bytes = "8KiB"
target_bytes = "4096"
body_bytes = "1GiB"
head_buffers = 32
bulk_buffers = 8
pipes = 0
[log]
target = "file"
path = "/var/log/breakwater.log"
[admin]
bind = "127.0.0.1:9090"
[process]
cores = 2
pin = false
pid_file = "/run/breakwater.pid"
sandbox = false
)");
  REQUIRE(config.listens.size() == 2);
  CHECK(config.listens[0].name == "git");
  CHECK(config.listens[0].pool == "b");
  std::vector<std::string> trusted;
  for (const Network& network : config.listens[0].trusted) trusted.push_back(network.text());
  CHECK(trusted == std::vector<std::string>{"10.0.0.0/8", "fd00::/8", "192.0.2.1/32"});
  CHECK(config.listens[1].bind == Endpoint{"", 8081});
  REQUIRE(config.pools.size() == 2);
  CHECK(config.pools[0].name == "b");  // in the order of the file
  CHECK(config.pools[0].servers.size() == 2);
  CHECK(config.pools[1].servers[0].address == Endpoint{"fd00::1", 3000});
  CHECK(config.timeouts.head == Duration{1'000});
  CHECK(config.timeouts.keep_alive == Duration{2'000});
  CHECK(config.timeouts.connect == Duration{500});
  CHECK(config.timeouts.advertise == Duration{3'000});
  CHECK(config.timeouts.response == Duration{3'600'000});
  CHECK(config.timeouts.idle == Duration{600'000});
  CHECK(config.timeouts.client_pace == 1024);
  CHECK(config.timeouts.client_pace_window == Duration{30'000});
  CHECK(config.timeouts.server_idle == Duration{4'000});
  CHECK(config.timeouts.linger == Duration{5'000});
  CHECK(config.timeouts.drain == Duration{6'000});
  CHECK(config.limits.connections == 5);
  CHECK(config.limits.servers_idle == 6);
  CHECK(config.limits.head_bytes == 8192);
  CHECK(config.limits.target_bytes == 4096);
  CHECK(config.limits.body_bytes == 1ull << 30);
  CHECK(config.limits.head_buffers == 32);
  CHECK(config.limits.bulk_buffers == 8);
  CHECK(config.limits.pipes == 0);
  CHECK(config.log.target == Log::Target::file);
  CHECK(config.log.path == "/var/log/breakwater.log");
  CHECK(config.admin_enabled);
  CHECK(config.admin == Endpoint{"127.0.0.1", 9090});
  CHECK(config.cores == 2);
  CHECK_FALSE(config.pin);
  CHECK_FALSE(config.sandbox);
  CHECK(config.pid_file == "/run/breakwater.pid");
}

TEST_CASE("parse: other spellings of TOML, and off") {
  const Config config = good(
      "listen.git.bind = ':80'\npool = { gogs = { servers = [\n  'a:1', # one\n  'b:2',\n] } }\n"
      "log.target = 'off'\n[timeouts]\ndrain = 'off'\nclient_pace = 'off'\n[limits]\nbody_bytes = 'off'\r\n");
  CHECK(config.listens[0].pool == "gogs");
  CHECK(config.pools[0].servers.size() == 2);
  CHECK(config.log.target == Log::Target::off);
  CHECK(config.timeouts.drain == Duration{0});
  CHECK(config.timeouts.client_pace == 0);
  CHECK(config.limits.body_bytes == 0);
}

TEST_CASE("parse: every default lies within its own bounds") {
  for (const auto& key : timeout_keys) {
    CAPTURE(key.name);
    const Duration value = Timeouts{}.*key.member;
    CHECK(((key.takes_off && value.count() == 0) || (value >= key.min && value <= key.max)));
  }
  for (const auto& key : limit_count_keys) {
    CAPTURE(key.name);
    CHECK(Limits{}.*key.member >= key.min);
    CHECK(Limits{}.*key.member <= key.max);
  }
  CHECK(Limits{}.head_bytes <= head_bytes_key.max);
  CHECK(Limits{}.target_bytes <= Limits{}.head_bytes);
  CHECK(head_bytes_key.max + 4096 == 20 * 1024);
}

TEST_CASE("parse: unknown names, with a guess") {
  CHECK(only("[timeouts]\nidel = \"30s\"\n") ==
        "2:1 unknown key `idel` in [timeouts] | did you mean `idle`?");
  CHECK(only("[timeout]\nidle = \"30s\"\n") == "1:2 unknown table [timeout] | did you mean [timeouts]?");
  CHECK(only("[limits]\nidle = \"30s\"\n") ==
        "2:1 unknown key `idle` in [limits] | it belongs in [timeouts]");
  CHECK(only("[admin]\nbind = \":1\"\nzzzzzz = 1\n") ==
        "3:1 unknown key `zzzzzz` in [admin] | keys here are `bind`");
  CHECK(only("[tls.git]\na = 1\n") ==
        "1:2 unknown table [tls] | tables are `listen`, `pool`, `route`, `timeouts`, `limits`, `log`, "
        "`admin`, `process`, ...");
  CHECK(only("[pool.gogs.health]\na = 1\n") ==
        "1:12 unknown table `health` in [pool.gogs] | keys here are `servers`, `kind`, `balance`, `retries`, "
        "`probe`, `connect`, `advertise`, `response`, ...");
  const Problems problems = bad("cores = 4\n" + minimal);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].message == "unknown key `cores` outside of any table");
  CHECK(problems[0].hint == "it belongs in [process]");
}

TEST_CASE("parse: wrong types say what was expected and what was found") {
  CHECK(only("[timeouts]\nhead = 30\n") ==
        "2:8 `head` in [timeouts] must be a duration from 10ms to 1h, found the integer 30 | write the unit: "
        "\"30s\"");
  CHECK(only("[timeouts]\nhead = 1.5\n") ==
        "2:8 `head` in [timeouts] must be a duration from 10ms to 1h, found a number with a fraction | "
        "durations look like \"30s\"");
  CHECK(only("[limits]\nhead_bytes = 8192\n") ==
        "2:14 `head_bytes` in [limits] must be a size from 1KiB to 16KiB, found the integer 8192 | write "
        "\"8KiB\"");
  CHECK(only("[limits]\nconnections = \"many\"\n") ==
        "2:15 `connections` in [limits] must be an integer from 1 to 1000000, found the string \"many\"");
  CHECK(only("[process]\npin = \"yes\"\n") ==
        "2:7 `pin` in [process] must be true or false, found the string \"yes\"");
  CHECK(only("[process]\npid_file = true\n") ==
        "2:12 `pid_file` in [process] must be a string (the path of a file), found true");
  CHECK(only("[admin]\nbind = \"unix:x\"\n") ==
        "2:8 `bind` in [admin] can't be \"unix:x\": the path of a unix socket begins with /");
  CHECK(only("[admin]\nbind = 9090\n") ==
        "2:8 `bind` in [admin] must be a string (\"host:port\"), found the integer 9090");
  CHECK(only("[log]\ntarget = []\n") ==
        "2:10 `target` in [log] must be a string (\"stdout\", \"file\" or \"off\"), found an array");
  CHECK(only("[listen.b]\nbind = \":1\"\npool = 1979-05-27\n") ==
        "3:8 `pool` in [listen.b] must be a string (the name of a pool), found a date or time");
  CHECK(only("[[timeouts]]\nhead = \"1s\"\n") == "1:1 expected a table [timeouts], found an array");
  CHECK(only("[pool.b]\nservers = \"a:1\"\n[listen.b]\nbind = \":1\"\npool = \"b\"\n[listen.git2]\nbind = "
             "\":2\"\npool=\"b\"\n")
            .find("servers = [\"a:1\"]") != std::string::npos);
}

TEST_CASE("parse: values out of bounds") {
  CHECK(only("[timeouts]\nconnect = \"5\"\n") ==
        "2:11 `connect` in [timeouts] must be a duration from 10ms to 1h, found \"5\" | durations look like "
        "\"500ms\", \"30s\", "
        "\"10m\" or \"1h\"");
  CHECK(only("[timeouts]\nconnect = \"2h\"\n") ==
        "2:11 `connect` in [timeouts] must be a duration from 10ms to 1h, found \"2h\"");
  CHECK(only("[timeouts]\nclient_pace = \"17MiB\"\n") ==
        "2:15 `client_pace` in [timeouts] must be a size from 1 to 16MiB, or \"off\", found \"17MiB\"");
  CHECK(only("[timeouts]\nclient_pace_window = \"off\"\n").find("must be a duration") != std::string::npos);
  CHECK(only("[limits]\nclient_pace = \"256\"\n").ends_with("| it belongs in [timeouts]"));
  CHECK(only("[timeouts]\nconnect = \"off\"\n").find("must be a duration") != std::string::npos);
  CHECK(only("[timeouts]\ndrain = \"0s\"\n").ends_with("| write \"off\""));
  CHECK(only("[limits]\nhead_bytes = \"17KiB\"\n") ==
        "2:14 `head_bytes` in [limits] must be a size from 1KiB to 16KiB, found \"17KiB\"");
  CHECK(only("[limits]\nhead_bytes = \"8KB\"\n").find("sizes look like") != std::string::npos);
  CHECK(only("[limits]\nhead_bytes = \"4KiB\"\ntarget_bytes = \"5KiB\"\n") ==
        "3:16 `target_bytes` in [limits] is 5KiB, more than the 4KiB of `head_bytes` that hold it");
  CHECK(only("[limits]\nconnections = 0\n").ends_with("found the integer 0"));
  CHECK(only("[limits]\nconnections = 4294967297\n").ends_with("found the integer 4294967297"));
  CHECK(
      only("[process]\ncores = 0\n") ==
      "2:9 `cores` in [process] must be an integer from 1 to 1024, found the integer 0 | leave it out to use "
      "every CPU");
  CHECK(only("[process]\ncores = -1\n").ends_with("found the integer -1"));
}

TEST_CASE("parse: a smaller head makes the default target smaller") {
  CHECK(good(minimal + "[limits]\nhead_bytes = \"4KiB\"\n").limits.target_bytes == 4096);
}

TEST_CASE("parse: listeners and pools belong together") {
  Problems problems = bad("");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].line == 0);
  CHECK(problems[0].message == "there is no listener");
  CHECK(problems[1].message == "there is no pool of servers");

  CHECK(only("[listen.b]\nbind = \":1\"\npool = \"gosg\"\n") ==
        "3:8 there is no [pool.gosg] for [listen.b] | did you mean `gogs`?");
  CHECK(only("[listen.b]\nbind = \":1\"\npool = \"unrelated\"\n") ==
        "3:8 there is no [pool.unrelated] for [listen.b] | pools are `gogs`");
  problems = bad(minimal + "[pool.two]\nservers = [\"b:1\"]\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 1);
  CHECK(problems[0].message == "[listen.git] has no `pool`, and there are several");
  CHECK(problems[0].hint == "pools are `gogs`, `two`");
  CHECK(only("[listen.b]\n") == "1:9 [listen.b] has no `bind` | for example bind = \"0.0.0.0:8080\"");
  CHECK(bad("[listen.a]\nbind = \":1\"\n[pool.a]\n")[0].message == "[pool.a] has no `servers`");
  CHECK(bad("[listen.a]\nbind = \":1\"\n[pool.a]\nservers = []\n")[0].message ==
        "`servers` in [pool.a] must name at least one server");
  CHECK(bad("[listen]\nbind = \":1\"\n[pool.a]\nservers = [\"a:1\"]\n")[0].message ==
        "expected a table [listen.bind], found the string \":1\"");
  CHECK(bad("[listen]\n[pool.a]\nservers = [\"a:1\"]\n")[0].message == "[listen] is empty");
  CHECK(only("[listen.\"a b\"]\nbind = \":1\"\n") ==
        "1:9 \"a b\" can't name a listen | a name is 1 to 64 letters, digits, `-` or `_`");
}

TEST_CASE("parse: servers and networks are checked one by one") {
  const Problems problems =
      bad("[listen.a]\nbind = \":1\"\ntrusted = [\"10.0.0.1/8\", 5]\n[pool.a]\n"
          "servers = [\"a:1\", \"A:1\", \":1\", \"b:0\", \"c\", 7]\n");
  REQUIRE(problems.size() == 7);
  CHECK(problems[0].message ==
        "\"10.0.0.1/8\" in `trusted` of [listen.a]: bits are set past the network's length; did you mean "
        "\"10.0.0.0/8\"?");
  CHECK(problems[2].message == "server \"A:1\" stands in `servers` of [pool.a] twice");
  CHECK(problems[3].message == "\":1\" in `servers` of [pool.a] is not a server: it needs a host");
  CHECK(problems[4].message ==
        "\"b:0\" in `servers` of [pool.a] is not a server: it needs a port other than 0");
  CHECK(problems[5].message ==
        "\"c\" in `servers` of [pool.a] is not a server: the port is missing; write host:port");
  CHECK(problems[6].column == 44);
}

TEST_CASE("parse: one address is bound once") {
  CHECK(only("[listen.b]\nbind = \":8080\"\n") ==
        "2:8 [listen.b] binds :8080, which [listen.git] in line 2 already binds");
  CHECK(only("[admin]\nbind = \"0.0.0.0:8080\"\n").find("[listen.git] in line 2 already binds") !=
        std::string::npos);
  good(minimal + "[listen.b]\nbind = \"[::1]:8080\"\n");
}

TEST_CASE("parse: any address and one of them could not be bound, and nothing said so before the start") {
  CHECK(only("[listen.b]\nbind = \"127.0.0.1:8080\"\n") ==
        "2:8 [listen.b] binds 127.0.0.1:8080, which [listen.git] in line 2 already takes a part of | any "
        "address has "
        "all of this machine's; write each, or take another port");
  CHECK(only("[admin]\nbind = \"10.0.0.1:8080\"\n").starts_with("2:8 [admin] binds 10.0.0.1:8080, which "));
}

TEST_CASE("parse: a server that is the listener in front of it sent requests round in circles") {
  const std::string pool = "[pool.b]\nservers = [\"127.0.0.1:8080\"]\n";
  const Problems routed =
      bad("[listen.git]\nbind = \":8080\"\npool = \"a\"\n[pool.a]\nservers = [\"c:1\"]\n" + pool +
          "[route.b]\npath = \"/b\"\npool = \"b\"\n");
  REQUIRE(routed.size() == 1);
  CHECK(routed[0].line == 7);
  const Problems problems = bad("[listen.git]\nbind = \":8080\"\n" + pool);
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 4);
  CHECK(problems[0].message.starts_with("the server 127.0.0.1:8080 of [pool.b] is [listen.git] itself"));
  // Who listens there serves another pool, or nothing.
  good("[listen.a]\nbind = \"127.0.0.1:8080\"\npool = \"a\"\n[pool.a]\nservers = [\"c:1\"]\n" + pool +
       "[listen.b]\nbind = \"127.0.0.1:8081\"\npool = \"b\"\n");
  good("[listen.a]\nbind = \"127.0.0.1:8080\"\npool = \"b\"\nredirect = \"https\"\n" + pool);
}

TEST_CASE("parse: log target and path go together") {
  CHECK(only("[log]\ntarget = \"file\"\n") ==
        "1:2 [log] has target = \"file\" but no `path` | for example path = \"/var/log/breakwater.log\"");
  CHECK(only("[log]\npath = \"/x\"\n").ends_with("| add target = \"file\", or leave the path out"));
  CHECK(only("[log]\ntarget = \"/x\"\n").ends_with("| write target = \"file\" and path = \"/x\""));
  CHECK(only("[log]\ntarget = \"of\"\n").ends_with("| did you mean `off`?"));
  CHECK(only("[log]\ntarget = \"file\"\npath = \"\"\n") == "3:8 `path` in [log] is not the path of a file");
}

TEST_CASE("parse: all problems in one run, in the order of the file") {
  const Problems problems =
      bad("[timeouts]\nzz = 1\nhead = 1\n[process]\ncores = 0\n[admin]\n[limits]\npipes = -1\n[listen.a]\n");
  REQUIRE(problems.size() == 7);
  CHECK(problems[0].line == 0);  // no pool: the whole file
  for (size_t index = 1; index < problems.size(); ++index)
    CHECK(problems[index].line >= problems[index - 1].line);
}

TEST_CASE("parse: what isn't TOML has a place too, and what stands above it is read") {
  Problems problems = bad("[timeouts]\nidel = \"1s\"\n[listen.git]\nbind = \"0.0.0.0:8080\nfoo");
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].message == "unknown key `idel` in [timeouts]");
  CHECK(problems[1].line == 4);
  CHECK(problems[1].message.starts_with("this is not TOML: "));
  CHECK(problems[1].hint == "is a closing quote missing?");

  problems = bad(minimal + "[timeouts]\nidle = \"1s\"\nidle = \"2s\"\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 7);
  CHECK(problems[0].message.find("idle") != std::string::npos);
  CHECK(bad(minimal + "[pool.gogs]\n")[0].line == 5);
  CHECK(bad("# \xFF")[0].line == 1);
  CHECK(bad("a = [")[0].line == 1);
  CHECK(bad("[listen.a\n\n\n")[0].message.starts_with("this is not TOML: "));
}

TEST_CASE("parse: a string without quotes was called a bad number, and nothing said what it lacks") {
  const auto hint = [](const std::string& line) {
    return bad(minimal + "[timeouts]\n" + line + "\n")[0].hint;
  };
  CHECK(hint("idle = 30s") == "write it in quotes: \"30s\"");
  CHECK(hint("idle = 1.5s # long") == "write it in quotes: \"1.5s\"");
  CHECK(hint("idle = 127.0.0.1:80") == "write it in quotes: \"127.0.0.1:80\"");
  CHECK(hint("idle = 127.0.0.1") == "write it in quotes: \"127.0.0.1\"");
  CHECK(hint("idle = /var/log") == "write it in quotes: \"/var/log\"");
  for (const char* line :
       {"idle = ", "idle = 05", "idle = 1.", "idle = [a:1]", "idle = \"1s\"x", "idle = \"1s\"\nidle = 30"}) {
    CAPTURE(line);
    CHECK(hint(line) == "");
  }
}

TEST_CASE("parse: true in capitals, or yes, was to be written in quotes, which is no more true") {
  const auto hint = [](const std::string& value) {
    return bad(minimal + "[process]\nsandbox = " + value + "\n")[0].hint;
  };
  for (const char* value : {"True", "FALSE", "yes", "No", "on # as elsewhere", "ON"}) {
    CAPTURE(value);
    CHECK(hint(value) == "write true or false");
  }
  for (const char* value : {"off", "Off\r"}) {
    CAPTURE(value);
    CHECK(hint(value) == "write \"off\" in quotes, or false where true or false are asked for");
  }
  CHECK(hint("often") == "write it in quotes: \"often\"");
}

TEST_CASE("parse: texts made to hurt the parser are refused before it sees them") {
  std::string deep = "a";
  for (int part = 0; part < 100'000; ++part) deep += ".a";
  CHECK(bad(deep + " = 1")[0].message == "a key of too many parts");
  CHECK(bad("[" + deep + "]")[0].message == "a key of too many parts");
  CHECK(bad("x = \"\"\"\n" + deep + "\"\"\"")[0].message == "multi-line strings are not used here");
  CHECK(bad("x = " + std::string(100'000, '['))[0].message.starts_with("this is not TOML: "));
  CHECK(bad(std::string(file_bytes_max + 1, '#'))[0].message == "the file is larger than 1MiB");
  CHECK(bad("1\xCA\xAD"
            "iB")[0]
            .message == "only strings and comments may hold letters beyond ASCII");
  CHECK(bad("[\0a]"s)[0].message == "a control character");
  CHECK(bad("[`")[0].message == "a table's name must stand here");
  CHECK(bad("[]")[0].message == "a table's name must stand here");
  CHECK(bad("[[a].")[0].message.starts_with("this is not TOML"));
  CHECK(bad("a = 1\rb = 2")[0].message == "a control character");
  good("\xEF\xBB\xBF# a byte order mark, and caf\xC3\xA9 in a comment\n" + minimal);
  good("# dots ......................... and \"\"\" in a comment\n" + minimal);
}

TEST_CASE("parse: what a file says can't steer the terminal through a message") {
  const std::string text =
      minimal + "[timeouts]\n\"\\u001b[31m\\u009b\" = 1\nhead = \"" + std::string(500, 'x') + "\"\n";
  for (const Problem& problem : bad(text)) {
    CHECK(problem.message.size() < 250);
    CHECK(problem.message.find('\x1B') == std::string::npos);
    CHECK(problem.message.find("\xC2\x9B") == std::string::npos);
  }
}
