// Packs of pushes are taken apart.
#include <doctest/doctest.h>

#include "git/pack_writer.h"
#include "git/synthetic_commit.h"
#include "origin/received_pack.h"

using namespace breakwater::storm;
using namespace breakwater::storm::origin;

namespace {

const BaseObject nothing = [](const ObjectId&) { return std::nullopt; };

}  // namespace

TEST_CASE("received pack: objects come out as they went in, stored or compressed") {
  const MadeCommits made = make_commits({.seed = 9, .commits = 3, .bytes = 100'000, .parent = {}});
  for (const int level : {0, 1, 9}) {
    const auto read = read_received_pack(pack_of(made.objects, HashKind::sha1, level), nothing);
    REQUIRE(read);
    REQUIRE(read->size() == made.objects.size());
    for (size_t index = 0; index < read->size(); index++) {
      CHECK((*read)[index].id == made.objects[index].id);
      CHECK((*read)[index].content == made.objects[index].content);
    }
  }
}

TEST_CASE("received pack: deltas on deltas are resolved") {
  const std::string first = noise(1, 200'000);
  const std::string second = first.substr(0, 150'000) + "and then another end";
  const std::string third = second + noise(2, 1000);
  std::string pack;
  PackWriter writer(pack, 3);
  const uint64_t at_first = writer.offset();
  writer.add(ObjectType::blob, first);
  const uint64_t at_second = writer.offset();
  writer.add_delta(at_first, first, second);
  writer.add_delta(at_second, second, third);
  writer.finish();
  CHECK(pack.size() < 203'000);
  const auto read = read_received_pack(pack, nothing);
  REQUIRE(read);
  CHECK((*read)[1].id == id_of("blob", second));
  CHECK((*read)[2].content == third);
}

TEST_CASE("received pack: whatever byte is wrong, it is noticed") {
  const std::string pack = pack_of(make_commits({.seed = 4, .bytes = 50, .parent = {}}).objects);
  REQUIRE(read_received_pack(pack, nothing));
  for (size_t at = 0; at < pack.size(); at++) {
    std::string wrong = pack;
    wrong[at] ^= 1;
    CHECK_FALSE(read_received_pack(wrong, nothing));
    CHECK_FALSE(read_received_pack(std::string_view(pack).substr(0, at), nothing));
  }
}
