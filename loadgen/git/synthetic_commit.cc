#include "git/synthetic_commit.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"
#include "base/rng.h"
#include "git/pack_writer.h"

namespace breakwater::storm {

namespace {

// Even a blob without a byte of noise is one of its own.
std::string fresh_content(uint64_t seed, uint32_t number, size_t bytes) {
  std::string mark = std::to_string(seed) + " " + std::to_string(number) + "\n";
  if (bytes <= mark.size()) return mark;
  return mark + noise(Rng(seed).next() + number, bytes - mark.size());
}

}  // namespace

std::string noise(uint64_t seed, size_t bytes) {
  Rng rng(seed);
  std::string text(bytes, '\0');
  for (size_t at = 0; at < bytes; at += sizeof(uint64_t)) {
    const uint64_t value = rng.next();
    std::memcpy(text.data() + at, &value, std::min(sizeof value, bytes - at));
  }
  return text;
}

MadeCommits make_commits(const SyntheticCommits& wanted) {
  BW_ASSERT(wanted.commits > 0);
  MadeCommits made;
  std::optional<ObjectId> parent = wanted.parent;
  for (uint32_t number = 0; number < wanted.commits; number++) {
    Object blob =
        make_object(ObjectType::blob, fresh_content(wanted.seed, number, wanted.bytes), wanted.kind);
    Object tree = make_object(ObjectType::tree, tree_content({{"storm.bin", blob.id}}), wanted.kind);
    CommitText text{.tree = tree.id, .parents = {}, .author = {}, .committer = {}, .message = {}};
    if (parent) text.parents.push_back(*parent);
    text.author.seconds = text.committer.seconds = wanted.seconds + number;
    text.message = "storm " + std::to_string(wanted.seed) + ", commit " + std::to_string(number) + "\n";
    Object commit = make_object(ObjectType::commit, commit_content(text), wanted.kind);
    parent = commit.id;
    made.commits.push_back(commit.id);
    for (Object* const object : {&blob, &tree, &commit}) made.objects.push_back(std::move(*object));
  }
  return made;
}

std::string pack_of(const std::vector<Object>& objects, HashKind kind, int level) {
  std::string pack;
  PackWriter writer(pack, static_cast<uint32_t>(objects.size()), kind, level);
  for (const Object& object : objects) writer.add(object);
  writer.finish();
  return pack;
}

}  // namespace breakwater::storm
