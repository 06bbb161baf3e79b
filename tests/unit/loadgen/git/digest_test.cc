// Names of objects: what `git hash-object` says of the same bytes.
#include <doctest/doctest.h>

#include "git/digest.h"

using namespace breakwater::storm;

TEST_CASE("digest: objects have the names that git gives them") {
  CHECK(id_of("blob", "").hex() == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  CHECK(id_of("blob", "hello\n").hex() == "ce013625030ba8dba906f756967f9e9ca394464a");
  CHECK(id_of("tree", "").hex() == "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
  CHECK(id_of("blob", "", HashKind::sha256).hex() ==
        "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813");
}

TEST_CASE("digest: pieces make what the whole makes") {
  Digest whole, pieces;
  whole.add("one two three");
  for (const char* const piece : {"one", " two", "", " three"}) pieces.add(piece);
  CHECK(whole.finish() == pieces.finish());
}

TEST_CASE("object id: only 40 or 64 lower-case hex digits are one") {
  const std::optional<ObjectId> id = ObjectId::parse("ce013625030ba8dba906f756967f9e9ca394464a");
  REQUIRE(id);
  CHECK(id->hex() == "ce013625030ba8dba906f756967f9e9ca394464a");
  CHECK_FALSE(id->is_zero());
  CHECK_FALSE(ObjectId::parse("CE013625030ba8dba906f756967f9e9ca394464a"));
  CHECK_FALSE(ObjectId::parse("ce013625030ba8dba906f756967f9e9ca39446"));
  CHECK_FALSE(ObjectId::parse("ze013625030ba8dba906f756967f9e9ca394464a"));
  CHECK_FALSE(ObjectId::parse(""));
}
