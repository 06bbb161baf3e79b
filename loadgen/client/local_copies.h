// What a runner has of the repositories that it cloned or fetched, as far as its next fetch must say it: the
// tips of what it got, where its history ends if it is shallow, and whether it left blobs out. A stand-in for
// the object store that a real runner has; nothing of the objects themselves is kept.
//
// Git offers further commits of its history as haves when the tips alone are not known to the server. We have
// only tips, so after a forced push a fetch gets more than a real one would.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "git/object_id.h"

namespace breakwater::storm {

struct LocalCopy {
  uint32_t repository = 0;
  bool blobless = false;
  std::vector<ObjectId> tips;     // distinct, those of the last fetch first
  std::vector<ObjectId> shallow;  // commits whose parents are not there
  std::vector<uint64_t> seen;     // refs' objects that are there, tags among them, shortened and sorted

  static uint64_t shortened(const ObjectId& id) noexcept { return ObjectIdHash()(id); }
  bool has(const ObjectId& id) const noexcept { return std::ranges::binary_search(seen, shortened(id)); }
};

class LocalCopies {
 public:
  static constexpr size_t copies_max = 4;    // of repositories; the one that was made first goes then
  static constexpr size_t tips_max = 16;     // as many haves as git sends at first (fetch-pack.c)
  static constexpr size_t shallow_max = 64;  // a copy with more is not kept
  static constexpr size_t seen_max = 128;    // what lies beyond is asked for again
  static constexpr size_t bytes_max =
      copies_max *
      (sizeof(LocalCopy) + (tips_max + shallow_max) * sizeof(ObjectId) + seen_max * sizeof(uint64_t));

  // Null: none.
  const LocalCopy* find(uint32_t repository) const noexcept {
    const auto found = std::ranges::find(copies_, repository, &LocalCopy::repository);
    return found == copies_.end() ? nullptr : &*found;
  }
  void forget(uint32_t repository) {
    std::erase_if(copies_, [&](const LocalCopy& copy) { return copy.repository == repository; });
  }
  // Instead of what was there of that repository.
  void keep(LocalCopy copy) {
    forget(copy.repository);
    if (copy.shallow.size() > shallow_max || copy.tips.empty()) return;
    if (copy.tips.size() > tips_max) copy.tips.resize(tips_max);
    copy.tips.shrink_to_fit();
    copy.seen.shrink_to_fit();
    if (copies_.size() == copies_max) copies_.erase(copies_.begin());
    copies_.push_back(std::move(copy));
  }

 private:
  std::vector<LocalCopy> copies_;
};

}  // namespace breakwater::storm
