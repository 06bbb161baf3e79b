// Ids of files out of packs that are whole, cut, or none.
#include "git/tree_blobs.h"

#include <doctest/doctest.h>

#include "git/object.h"
#include "git/pack_writer.h"
#include "git/synthetic_commit.h"

using namespace breakwater::storm;

TEST_CASE("the files of trees are found, directories and links between repositories are not") {
  const ObjectId file = *ObjectId::parse(std::string(40, '1')),
                 folder = *ObjectId::parse(std::string(40, '2')),
                 program = *ObjectId::parse(std::string(40, '3'));
  const std::string tree = tree_content({{"a", file, TreeEntry::Mode::file},
                                         {"b", folder, TreeEntry::Mode::directory},
                                         {"c", program, TreeEntry::Mode::executable},
                                         {"d", file, TreeEntry::Mode::file}});
  std::string pack;
  PackWriter writer(pack, 3, HashKind::sha1, 6);
  writer.add(ObjectType::commit, "tree 0\n");
  writer.add(ObjectType::tree, tree);
  writer.add(ObjectType::blob, std::string(100'000, 'x'));
  writer.finish();
  CHECK(blobs_of_trees(pack, HashKind::sha1, 10) == std::vector<ObjectId>{file, program});
  CHECK(blobs_of_trees(pack, HashKind::sha1, 1) == std::vector<ObjectId>{file});
  CHECK(blobs_of_trees("PACK", HashKind::sha1, 10).empty());
  CHECK(blobs_of_trees(std::string(200, 'x'), HashKind::sha1, 10).empty());
  for (size_t bytes = 0; bytes < pack.size(); bytes += bytes < 200 ? 1 : 997)
    CHECK(blobs_of_trees(std::string_view(pack).substr(0, bytes), HashKind::sha1, 10).size() <= 2);
}

TEST_CASE("of a synthetic push each commit has one file") {
  const MadeCommits made = make_commits({.seed = 9, .commits = 4, .kind = HashKind::sha256});
  const std::vector<ObjectId> blobs =
      blobs_of_trees(pack_of(made.objects, HashKind::sha256), HashKind::sha256, 10);
  REQUIRE(blobs.size() == 4);
  CHECK(blobs[0] == made.objects[0].id);
}
