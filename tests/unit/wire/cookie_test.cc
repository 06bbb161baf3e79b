// The pairs of Cookie fields, good and odd ones.
#include "wire/cookie.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater::wire;

namespace {

// "name=value" of each pair in brackets.
std::string pairs(std::string_view field) {
  std::string text;
  Cookie cookie;
  while (next_cookie(field, cookie))
    text.append("[").append(cookie.name).append("=").append(cookie.value).append("]");
  return text;
}

}  // namespace

TEST_CASE("cookies: one after the other, in their order") {
  CHECK(pairs("a=1") == "[a=1]");
  CHECK(pairs("a=1; b=2; a=3") == "[a=1][b=2][a=3]");
  CHECK(pairs("").empty());
}

TEST_CASE("cookies: what browsers do not write ends where it must") {
  CHECK(pairs("a=1;b=2") == "[a=1][b=2]");
  CHECK(pairs(" \ta\t = 1 ;b") == "[a=1][=b]");
  CHECK(pairs("a==b=") == "[a==b=]");
  CHECK(pairs("q=\"x;y=z\"") == "[q=\"x][y=z\"]");
  CHECK(pairs(";;a=1;") == "[=][=][a=1]");
  CHECK(pairs("A=1; a=2") == "[A=1][a=2]");  // names are case-sensitive
}

TEST_CASE("cookies: nothing of a field is lost") {
  std::string_view rest = " a=1 ;\tb";
  Cookie cookie;
  REQUIRE(next_cookie(rest, cookie));
  CHECK(cookie.raw == " a=1 ");
  REQUIRE(next_cookie(rest, cookie));
  CHECK(cookie.raw == "\tb");
  CHECK_FALSE(next_cookie(rest, cookie));
}

TEST_CASE("cookies: what a Set-Cookie field sets") {
  CHECK(name_of_set_cookie("SERVERID=x; Path=/") == "SERVERID");
  CHECK(name_of_set_cookie("x").empty());
  CHECK(name_of_set_cookie("").empty());
}
