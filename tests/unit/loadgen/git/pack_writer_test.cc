// Objects and packs that we make: their layout by hand here, and by real git in tests/e2e/storm_origin_test.
#include <doctest/doctest.h>
#include <zlib.h>

#include <set>

#include "git/pack_writer.h"
#include "git/synthetic_commit.h"

using namespace breakwater::storm;

namespace {

std::string inflate_all(std::string_view deflated, size_t bytes) {
  std::string text(bytes + 1, '\0');
  uLongf got = text.size();
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(text.data()), &got,
                     reinterpret_cast<const Bytef*>(deflated.data()), deflated.size()) == Z_OK);
  text.resize(got);
  return text;
}

bool ends_in_its_hash(std::string_view pack) {
  Digest digest;
  digest.add(pack.substr(0, pack.size() - 20));
  const ObjectId hash = digest.finish();
  return pack.substr(pack.size() - 20) ==
         std::string_view(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
}

}  // namespace

TEST_CASE("object: trees and commits have the names that git gives them") {
  const Object blob = make_object(ObjectType::blob, "hello\n");
  // `git mktree` sorts the directory "a" behind "a.txt".
  const Object inner = make_object(ObjectType::tree, tree_content({{"hello", blob.id}}));
  const Object outer = make_object(
      ObjectType::tree, tree_content({{"a", inner.id, TreeEntry::Mode::directory}, {"a.txt", blob.id}}));
  CHECK(inner.id.hex() == "b4d01e9b0c4a9356736dfddf8830ba9a54f5271c");
  CHECK(outer.content.find("a.txt") < outer.content.find("40000 a"));
  CommitText text{.tree = inner.id, .parents = {}, .author = {}, .committer = {}, .message = "one\n"};
  CHECK(commit_content(text) ==
        "tree b4d01e9b0c4a9356736dfddf8830ba9a54f5271c\nauthor Storm <storm@example.org> 0 +0000\n"
        "committer Storm <storm@example.org> 0 +0000\n\none\n");
}

TEST_CASE("pack: stored entries have the size that is told, inflate, and are read back") {
  for (const size_t bytes : {0, 1, 15, 16, 2047, 2048, 65535, 65536, 200'000}) {
    CAPTURE(bytes);
    const std::string content = noise(bytes, bytes);
    std::string entry;
    append_pack_entry(entry, ObjectType::blob, content);
    CHECK(entry.size() == stored_entry_bytes(bytes));
    CHECK(stored_entry_content(entry) == content);
    std::string deflated;
    append_zlib(deflated, content, stored);
    CHECK(inflate_all(deflated, bytes) == content);
    CHECK(entry.ends_with(deflated));
  }
  std::string compressed;
  append_zlib(compressed, std::string(1000, 'x'), 6);
  CHECK(compressed.size() < 100);
  CHECK(inflate_all(compressed, 1000) == std::string(1000, 'x'));
}

TEST_CASE("pack: header, entries and hash, also when taken piece by piece") {
  const MadeCommits made = make_commits({.seed = 3, .commits = 2, .parent = {}});
  const std::string pack = pack_of(made.objects);
  CHECK(pack.starts_with(std::string_view("PACK\0\0\0\2\0\0\0\6", 12)));
  CHECK(ends_in_its_hash(pack));
  std::string piece, pieces;
  PackWriter writer(piece, 6);
  for (const Object& object : made.objects) {
    CHECK(writer.offset() == pieces.size() + piece.size());
    writer.add(object);
    pieces += piece;
    piece.clear();
  }
  writer.finish();
  CHECK(pieces + piece == pack);
}

TEST_CASE("synthetic commits: the same seed gives the same, another one nothing of it") {
  const SyntheticCommits wanted{.seed = 7, .commits = 3, .bytes = 0, .parent = {}};
  std::set<std::string> names;
  for (uint64_t seed = 1; seed <= 20; seed++) {
    SyntheticCommits other = wanted;
    other.seed = seed;
    for (const Object& object : make_commits(other).objects) names.insert(object.id.hex());
  }
  CHECK(names.size() == 20 * 9);
  const MadeCommits made = make_commits(wanted);
  CHECK(made.tip() == make_commits(wanted).tip());
  CHECK(made.objects.size() == 9);
  CHECK(made.objects.back().id == made.tip());
  CHECK(made.objects.back().content.find("parent " + made.commits[1].hex()) != std::string::npos);

  SyntheticCommits on_top = wanted;
  on_top.parent = made.tip();
  const MadeCommits next = make_commits(on_top);
  CHECK(next.tip() != made.tip());
  CHECK(next.objects[2].content.find("parent " + made.tip().hex()) != std::string::npos);
}
