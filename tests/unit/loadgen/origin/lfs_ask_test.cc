// Which objects a batch request asks for.
#include "origin/lfs_ask.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

const std::string one(64, 'a'), two(64, '7');

std::string batch(const std::string& objects, const std::string& operation = "\"download\"") {
  return R"({"operation":)" + operation + R"(,"objects":[)" + objects + "]}";
}

std::string object(const std::string& oid, const std::string& size = "5") {
  return R"({"oid":")" + oid + R"(","size":)" + size + "}";
}

uint16_t status_of(const std::string& body) {
  const auto ask = read_lfs_ask(body);
  return ask ? 200 : ask.error().status;
}

}  // namespace

TEST_CASE("lfs: what git-lfs writes is read") {
  const auto ask = read_lfs_ask(write_lfs_batch({{one, 5}, {two, 1u << 31}}, "refs/heads/main"));
  REQUIRE(ask);
  CHECK_FALSE(ask->is_upload);
  REQUIRE(ask->objects.size() == 2);
  CHECK(ask->objects[0].oid == one);
  CHECK(ask->objects[1].bytes == 1u << 31);
  CHECK(read_lfs_ask(batch(object(one), "\"upload\""))->is_upload);
  CHECK(read_lfs_ask(batch(""))->objects.empty());
  CHECK(read_lfs_ask(batch(object(one, "18446744073709551615")))->objects[0].bytes == UINT64_MAX);
}

TEST_CASE("lfs: what is no batch request is refused") {
  for (const std::string& body : {std::string(),
                                  std::string("[]"),
                                  std::string("{}"),
                                  std::string("7"),
                                  batch(object(one)) + "x",
                                  batch(object(one)) + std::string(1, '\0'),
                                  batch(object(one)).substr(1),
                                  batch("", "\"verify\""),
                                  batch("", "null"),
                                  batch("", "[\"upload\"]"),
                                  std::string(R"({"objects":[]})"),
                                  std::string(R"({"operation":"upload"})"),
                                  std::string(R"({"operation":"upload","objects":{}})"),
                                  batch("7"),
                                  batch("[]"),
                                  batch("{}"),
                                  batch(object(one, "-1")),
                                  batch(object(one, "1.5")),
                                  batch(object(one, "\"5\"")),
                                  batch(object(one, "18446744073709551616")),
                                  batch(R"({"size":5})"),
                                  batch(R"({"oid":7,"size":5})"),
                                  batch(R"({"oid":")" + one + "\"}")}) {
    CAPTURE(body);
    CHECK(status_of(body) == 422);
  }
  std::string many = object(one);
  for (size_t number = 1; number < lfs_objects_max; number++) many += "," + object(one);
  CHECK(status_of(batch(many)) == 200);
  CHECK(status_of(batch(many + "," + object(one))) == 413);
}

TEST_CASE("lfs: an oid is a SHA-256 in hex, for it becomes part of an address") {
  for (const std::string& oid :
       {std::string(), std::string("a"), std::string(40, 'a'), std::string(63, 'a'), std::string(65, 'a'),
        std::string(64, 'A'), std::string(64, 'g'), std::string("../../x?y=\\r\\nz"), one.substr(2) + "/x"}) {
    CAPTURE(oid);
    CHECK(status_of(batch(object(oid))) == 422);
  }
}

TEST_CASE("lfs: however deep it is nested, it ends nobody") {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  CHECK(status_of(batch("", deep)) == 422);
  CHECK(status_of(batch(deep)) == 422);
  CHECK(status_of(batch(R"({"oid":)" + deep + "}")) == 422);
  CHECK(status_of(deep) == 422);
  CHECK(status_of(R"({"more":)" + deep + "," + batch(object(one)).substr(1)) == 200);
}
