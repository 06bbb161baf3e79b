// A push's body is what real git takes, and never the same twice.
#include "client/push_body.h"

#include <doctest/doctest.h>

#include <set>

#include "client/runner.h"
#include "git/digest.h"

using namespace breakwater::storm;

namespace {
PushBody::Wanted three(uint64_t seed) {
  return {.seed = seed, .commits = 3, .bytes = 5000, .ref = "refs/heads/storm/7", .agent = "git/2.39.5"};
}
}  // namespace

TEST_CASE("it has the bytes that it says, whole or in pieces, and the same ones again") {
  PushBody body(three(1));
  const std::string all = body.all();
  CHECK(all.size() == body.bytes());
  CHECK(body.objects() == 9);
  body.rewind();
  std::string pieces;
  size_t count = 0;
  for (std::string_view piece = body.next(); !piece.empty(); piece = body.next()) {
    pieces += piece;
    ++count;
  }
  CHECK(pieces == all);
  CHECK(count == 5);  // the command with the pack's header, three commits, the trailing hash
}

TEST_CASE("the command names the last commit, and the pack is whole") {
  PushBody body(three(2));
  const std::string all = body.all();
  const size_t begin = all.find("0000PACK");
  REQUIRE(begin != std::string::npos);
  CHECK(all.substr(0, begin).find(std::string(40, '0') + " " + body.tip().hex() + " refs/heads/storm/7") ==
        4);
  const std::string_view pack = std::string_view(all).substr(begin + 4);
  CHECK(pack.size() == body.pack_bytes());
  Digest digest;
  digest.add(pack.substr(0, pack.size() - 20));
  const ObjectId trailer = digest.finish();
  CHECK(pack.substr(pack.size() - 20) ==
        std::string_view(reinterpret_cast<const char*>(trailer.raw.data()), 20));
}

TEST_CASE("no commit is made twice, whoever pushes and how often") {
  std::set<ObjectId> tips;
  for (uint32_t runner = 0; runner < 30; ++runner)
    for (uint64_t push = 1; push <= 30; ++push)
      tips.insert(PushBody({.seed = mix(1, runner, push), .commits = 1, .bytes = 10}).tip());
  CHECK(tips.size() == 900);
  PushBody::Wanted child = three(1);
  child.parent = PushBody(three(1)).tip();
  CHECK(PushBody(child).tip() != PushBody(three(1)).tip());
}
