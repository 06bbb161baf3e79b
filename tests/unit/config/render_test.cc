// Problems as an operator reads them: place, line, caret, hint, and a last line that counts them.
#include <doctest/doctest.h>

#include <string>

#include "config/parse.h"

using namespace breakwater::config;

TEST_CASE("render: the line, a caret and the hint, then the count") {
  const std::string text =
      "[listen.git]\nbind = \":8080\"\n\n\n\n\n\n[timeouts]\nidel = \"30s\"\n[pool.a]\nservers = [\"a:1\", "
      "\":1\"]\n";
  const auto parsed = parse(text);
  REQUIRE(std::holds_alternative<Problems>(parsed));
  CHECK(
      render(std::get<Problems>(parsed), "/etc/breakwater.toml", text) ==
      "/etc/breakwater.toml:9:1: error: unknown key `idel` in [timeouts]\n"
      "  9 | idel = \"30s\"\n"
      "    | ^^^^ did you mean `idle`?\n"
      "/etc/breakwater.toml:11:19: error: \":1\" in `servers` of [pool.a] is not a server: it needs a host\n"
      "  11 | servers = [\"a:1\", \":1\"]\n"
      "     |                   ^^^^\n"
      "2 errors; nothing was started\n");
}

TEST_CASE("render: a problem of the whole file has no line") {
  CHECK(
      render({{0, 0, "there is no listener", "add one"}}, "x.toml", "", "still running the last good one") ==
      "x.toml: error: there is no listener\n  add one\n1 error; still running the last good one\n");
}

TEST_CASE("render: columns count characters, tabs and control bytes take one") {
  CHECK(render({{1, 5, "m", ""}}, "x",
               "\t\xC3\xA9\x1B"
               "a bcd = 1") ==
        "x:1:5: error: m\n  1 |  \xC3\xA9?a bcd = 1\n    |     ^\n1 error; nothing was started\n");
}

TEST_CASE("render: long lines are cut around the caret") {
  const std::string text = std::string(300, 'x') + " \"here\" " + std::string(300, 'y');
  const std::string out = render({{1, 302, "m", "h"}}, "x", text);
  CHECK(out.find("...xxxxx") != std::string::npos);
  CHECK(out.find("yyyy...\n") != std::string::npos);
  CHECK(out.find("^^^^^^ h\n") != std::string::npos);
  CHECK(out.size() < 300);
}

TEST_CASE("render: places outside of the text do no harm") {
  for (const uint32_t line : {1u, 2u, 99u})
    for (const uint32_t column : {0u, 1u, 4u, 99u})
      CHECK(render({{line, column, "m", "h"}}, "x", "a\nb").ends_with("started\n"));
}
