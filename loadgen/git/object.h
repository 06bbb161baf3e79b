// Git's four kinds of objects as bytes with a name: blobs, trees, commits and annotated tags, in the one form
// that `git fsck --strict` accepts (gitformat-pack(5), "Object types"; Documentation of git-mktree(1),
// git-commit-tree(1), git-mktag(1)). Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/object_id.h"

namespace breakwater::storm {

// The numbers are those of a pack's entries.
enum class ObjectType : uint8_t { commit = 1, tree = 2, blob = 3, tag = 4 };
std::string_view name(ObjectType type) noexcept;  // "commit"
// And those of its entries that are differences to another object.
inline constexpr uint8_t offset_delta = 6, named_delta = 7;

struct Object {
  ObjectType type = ObjectType::blob;
  std::string content;
  ObjectId id;
};
// Names it.
Object make_object(ObjectType type, std::string content, HashKind kind = HashKind::sha1);

struct TreeEntry {
  enum class Mode : uint8_t { file, executable, directory };
  std::string name;
  ObjectId id;
  Mode mode = Mode::file;
};
// In any order, each name once.
std::string tree_content(std::vector<TreeEntry> entries);

struct Signature {
  std::string name = "Storm";
  std::string email = "storm@example.org";
  int64_t seconds = 0;  // since 1970, in UTC
};
struct CommitText {
  ObjectId tree;
  std::vector<ObjectId> parents;
  Signature author, committer;
  std::string message;  // with its line end
};
std::string commit_content(const CommitText& commit);

struct TagText {
  ObjectId object;
  ObjectType type = ObjectType::commit;  // of the object
  std::string name;                      // without "refs/tags/"
  Signature tagger;
  std::string message;  // with its line end
};
std::string tag_content(const TagText& tag);

// What an object names. `type` is that of what is named; where only the object itself could tell (what a tag
// names says it too) it is what this one says.
struct Link {
  ObjectId id;
  ObjectType type = ObjectType::blob;
};
// Of a commit its tree, then its parents; of a tree its entries, without submodules; of a tag its object; of
// a blob nothing. nullopt if the content is not what its type says.
std::optional<std::vector<Link>> links_of(ObjectType type, std::string_view content,
                                          HashKind kind = HashKind::sha1);

}  // namespace breakwater::storm
