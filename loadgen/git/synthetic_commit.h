// Fresh commits for a push: made from a seed, valid, with content that neither compresses nor repeats. The
// same request gives the same objects; another seed gives others, in every commit, tree and blob. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "git/object.h"

namespace breakwater::storm {

struct SyntheticCommits {
  uint64_t seed = 1;
  uint32_t commits = 1;             // at least one
  size_t bytes = 4096;              // of the blob of each commit
  std::optional<ObjectId> parent;   // of the first one; none: it is a root
  int64_t seconds = 1'767'225'600;  // since 1970: when the first was made; the others follow a second apart
  HashKind kind = HashKind::sha1;
};

// A commit's tree holds one file, its own. The parent's tree is not known, so what stood there is gone.
struct MadeCommits {
  std::vector<Object> objects;    // all of them: for each commit its blob, its tree and itself
  std::vector<ObjectId> commits;  // oldest first
  const ObjectId& tip() const noexcept { return commits.back(); }
};
MadeCommits make_commits(const SyntheticCommits& wanted);

// The pack of a push of these objects.
std::string pack_of(const std::vector<Object>& objects, HashKind kind = HashKind::sha1, int level = 0);

// `bytes` of noise. The same seed gives the same.
std::string noise(uint64_t seed, size_t bytes);

}  // namespace breakwater::storm
