// The configuration: what is taken, and that every mistake is named, with its place and a hint, in one go.
#include "config/parse.h"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "config/units.h"

using namespace breakwater::config;

namespace {

const std::string base =
    "[listen.git]\nbind = \"0.0.0.0:8080\"\npool = \"gogs\"\n[pool.gogs]\nservers = [\"10.0.0.11:3000\"]\n";

Config good(const std::string& text) {
  const std::variant<Config, Problems> parsed = parse(text);
  if (const Problems* problems = std::get_if<Problems>(&parsed)) FAIL(render(*problems, "test.toml", text));
  return std::get<Config>(parsed);
}

Problems bad(const std::string& text) {
  const std::variant<Config, Problems> parsed = parse(text);
  REQUIRE(std::holds_alternative<Problems>(parsed));
  return std::get<Problems>(parsed);
}

}  // namespace

TEST_CASE("everything at once") {
  const Config config = good(
      "[listen.git]\nbind = \"[::1]:8080\"\ntrusted = [\"10.0.0.0/8\", \"::1\"]\n"
      "[pool.gogs]\nservers = [\"a:1\", \"b:2\"]\n"
      "[timeouts]\nhead = \"5s\"\nresponse = \"off\"\nlinger = \"500ms\"\n"
      "[limits]\nconnections = 5\nhead_bytes = \"8KiB\"\nbody_bytes = \"1GiB\"\n"
      "[log]\ntarget = \"file\"\npath = \"/x\"\n[admin]\nbind = \"127.0.0.1:9\"\n[process]\ncores = 2\npin = "
      "false\npid_file = \"/p\"\n");
  CHECK(config.listens[0].bind.host == "::1");
  CHECK(config.listens[0].pool == "gogs");
  CHECK(config.listens[0].trusted.size() == 2);
  CHECK(config.pools[0].servers[1].text() == "b:2");
  CHECK(config.timeouts.head.count() == 5000);
  CHECK(config.timeouts.response.count() == 0);
  CHECK(config.timeouts.linger.count() == 500);
  CHECK(config.limits.connections == 5);
  CHECK(config.limits.head_bytes == 8192);
  CHECK(config.limits.body_bytes == 1ull << 30);
  CHECK(config.log.path == "/x");
  CHECK(config.admin_enabled);
  CHECK(config.cores == 2);
  CHECK_FALSE(config.pin);
}

TEST_CASE("mistakes and their hints") {
  struct Case {
    std::string text, message, hint;
  };
  const std::vector<Case> cases{
      {"[timeouts]\nidel = \"30s\"\n", "unknown key `idel` in [timeouts]", "did you mean `idle`?"},
      {"[timeout]\nidle = \"30s\"\n", "unknown table [timeout]", "did you mean `timeouts`?"},
      {"[timeouts]\nidle = 30\n", "idle must be a string, not a number", ""},
      {"[timeouts]\nidle = \"30\"\n", "idle must be a duration", ""},
      {"[timeouts]\nhead = \"off\"\n", "head can't be off", ""},
      {"[timeouts]\nhead = \"100h\"\n", "head must be a duration", ""},
      {"[limits]\nhead_bytes = \"1MiB\"\n", "head_bytes must be from 1024 to 16384", ""},
      {"[limits]\nconnections = 0\n", "connections must be from 1", ""},
      {"[limits]\nconnections = \"5\"\n", "connections must be a number", ""},
      {"[log]\ntarget = \"fiel\"\n", "target must be", "did you mean `file`?"},
      {"[log]\ntarget = \"file\"\n", "needs `path`", ""},
      {"[admin]\n", "[admin] needs `bind`", ""},
      {"[process]\npin = 1\n", "pin must be true or false", ""},
      {"[pool.b]\nservers = []\n", "servers must be a list", ""},
      {"[pool.b]\nservers = [\"a\"]\n", "has no port", ""},
      {"[pool.b]\nservers = [\"a:0\"]\n", "other than 0", ""},
      {"[pool.b]\nservers = [\"a:1\", \"a:1\"]\n", "twice", ""},
      {"[listen.b]\nbind = \"0.0.0.0:8080\"\npool = \"gogs\"\n", "bind the same address", ""},
      {"[listen.b]\nbind = \"0.0.0.0:8081\"\npool = \"gosg\"\n", "there is no pool `gosg`",
       "did you mean `gogs`?"},
      {"[listen.b]\nbind = \"::1:8080\"\npool = \"gogs\"\n", "in brackets", ""},
      {"[listen.b]\npool = \"gogs\"\n", "needs `bind`", ""},
      {"[listen.b]\nbind = \"a:1\"\npool = \"gogs\"\ntrusted = [\"10.0.0.0/99\"]\n", "is not a network", ""},
      {"[limits]\nx = 1\n", "unknown key `x`", ""},
  };
  for (const Case& one : cases) {
    CAPTURE(one.text);
    const Problems problems = bad(base + one.text);
    REQUIRE(problems.size() == 1);
    CHECK(problems[0].message.find(one.message) != std::string::npos);
    CHECK(problems[0].hint == one.hint);
  }
}

TEST_CASE("all problems come in one run, in order, with a caret under each") {
  const std::string text =
      "[listen.git]\nbind = 5\n[pool.gogs]\nservers = [\"a:1\"]\n[timeouts]\nidel = \"30s\"\n";
  const Problems problems = bad(text);
  REQUIRE(problems.size() == 2);
  CHECK(render(problems, "b.toml", text) ==
        "b.toml:2:8: error: bind must be a string, not a number\n  2 | bind = 5\n    |        ^\n"
        "b.toml:6:1: error: unknown key `idel` in [timeouts]\n  6 | idel = \"30s\"\n    | ^ did you mean "
        "`idle`?\n"
        "2 errors; nothing was started\n");
}

TEST_CASE("nothing configured, and TOML that is none") {
  CHECK(bad("").size() == 2);
  const Problems problems = bad("[listen\n");
  REQUIRE(problems.size() == 1);
  CHECK(problems[0].line == 1);
}

TEST_CASE("units") {
  CHECK(parse_duration("1h")->count() == 3'600'000);
  CHECK(parse_duration("off")->count() == 0);
  for (const char* wrong : {"", "s", "5", "5 s", "-5s", "5d", "1e3s", "99999999999999999999s"})
    CHECK_FALSE(parse_duration(wrong));
  CHECK(parse_size("4096") == 4096);
  CHECK(parse_size("2MiB") == 2u << 20);
  for (const char* wrong : {"", "KiB", "5KB", "-1", "99999999999GiB"}) CHECK_FALSE(parse_size(wrong));
}

TEST_CASE("the operators' page names every key") {
  std::ifstream file(CONFIGURATION_PAGE);
  std::stringstream content;
  content << file.rdbuf();
  const std::string page = content.str();
  for (const char* key : {"bind",         "pool",       "trusted",      "servers",      "head",
                          "keep_alive",   "connect",    "response",     "idle",         "server_idle",
                          "linger",       "drain",      "connections",  "servers_idle", "head_bytes",
                          "target_bytes", "body_bytes", "head_buffers", "bulk_buffers", "pipes",
                          "target",       "path",       "cores",        "pid_file",     "pin"}) {
    CAPTURE(key);
    CHECK(page.find("`" + std::string(key) + "`") != std::string::npos);
  }
}
