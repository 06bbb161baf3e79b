// What may be said of a server over the admin listener, and how it is refused.
#include "app/server_change.h"

#include <doctest/doctest.h>

using namespace breakwater;
using namespace breakwater::app;

namespace {

std::string why_not(const std::string& body) {
  const auto change = read_server_change(body);
  return change ? "it is taken" : change.error();
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("change: a state, a weight, or both") {
  const auto drain = read_server_change(R"({"state": "drain"})");
  REQUIRE(drain);
  CHECK(drain->word == backends::Word::drain);
  CHECK_FALSE(drain->weight);
  const auto weight = read_server_change("\n{\"weight\":256}\n");
  REQUIRE(weight);
  CHECK_FALSE(weight->word);
  CHECK(weight->weight == 256);
  const auto both = read_server_change(R"({"weight": 0, "st\u0061te": "ready"})");
  REQUIRE(both);
  CHECK(both->word == backends::Word::ready);
  CHECK(both->weight == 0);
  CHECK(read_server_change(R"({"state": "maintenance"})")->word == backends::Word::maintenance);
}

TEST_CASE("change: what is wrong is said") {
  CHECK(has(why_not(""), "empty"));
  CHECK(has(why_not("{}"), "changes nothing"));
  for (const char* const body : {"{", "[]", "7", "null", R"([{"weight":1}])", R"({"weight":1}x)",
                                 R"({"weight":1,})", R"({"weight":1}{"weight":2})", "{\"state\":\"\xff\"}",
                                 "{'weight':1}", R"({"weight":01})", R"({"weight":1} // all of it)"}) {
    CAPTURE(body);
    CHECK(has(why_not(body), "no JSON object"));
  }
  CHECK(has(why_not(std::string("{\"weight\":1}\0", 13)), "no JSON object"));
  for (const char* const value : {"-1", "-0", "257", "1.0", "1e1", "\"5\"", "null", "true", "[1]",
                                  "{\"weight\":1}", "18446744073709551616"}) {
    CAPTURE(value);
    CHECK(why_not("{\"weight\":" + std::string(value) + "}") == "`weight` must be an integer from 0 to 256");
  }
  for (const char* const value : {"\"up\"", "\"Drain\"", "\"drain \"", "1", "null", "[\"drain\"]", "{}"}) {
    CAPTURE(value);
    CHECK(has(why_not("{\"state\":" + std::string(value) + "}"), "`state` must be"));
  }
  CHECK(has(why_not(R"({"weights":5})"), "there is no key `weights`"));
  CHECK(has(why_not(R"({"":5})"), "there is no key ``"));
}

TEST_CASE("change: of two values for one key none is taken") {
  CHECK(has(why_not(R"({"weight":1,"weight":1})"), "`weight` stands there twice"));
  CHECK(has(why_not(R"({"state":"drain","weight":1,"st\u0061te":"drain"})"), "`state` stands there twice"));
  CHECK(has(why_not(R"({"weight":1,"weight":2)"), "twice"));
  CHECK(has(why_not(R"({"state":{"a":1,"a":2}})"), "`state` must be"));
}

TEST_CASE("change: however deep it is nested, it is refused") {
  for (const size_t depth : {2, 2000}) {
    const std::string open(depth, '['), close(depth, ']');
    CHECK(has(why_not(open + R"({"weight":1})" + close), "no JSON object"));
    CHECK(has(why_not(open), "no JSON object"));
    CHECK(has(why_not("{\"weight\":" + open + close + "}"), "`weight` must be"));
  }
}

TEST_CASE("change: a key is shown without what steers a terminal, and not endlessly") {
  CHECK(has(why_not("{\"a\\nb\\u001b[2J\\u007f\\u009b\":1}"), "there is no key `a?b?[2J??`"));
  CHECK(has(why_not("{\"a\\u0000\":1,\"a\\u0000\":1}"), "the key `a?` stands there twice"));
  CHECK(has(why_not("{\"\xc3\xa9\":1}"), "`\xc3\xa9`"));
  CHECK(why_not("{\"" + std::string(4000, 'k') + "\":1}").size() < 300);
}
