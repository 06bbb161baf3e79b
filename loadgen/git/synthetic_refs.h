// The refs of a synthetic repository: those of the base history by formula, and what was changed since. A
// value that does not change once it is made; a push makes another one.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git/object_id.h"

namespace breakwater::storm {

inline constexpr std::string_view synthetic_head = "refs/heads/main";  // what HEAD names

struct ServedRef {
  std::string name;  // "refs/heads/main"
  ObjectId id;
  ObjectId peeled;  // of an annotated tag; else zero
};

// Of `refs` refs an eighth, but not more than these, are annotated tags, as many more are light ones as make
// a quarter of all, and the others are branches.
inline constexpr uint32_t annotated_tags_max = 1000;
struct RefCounts {
  explicit RefCounts(uint32_t refs) noexcept;
  uint32_t branches = 0;  // without synthetic_head
  uint32_t annotated = 0, light = 0;
};

// What the formula is about: made with the repository.
struct BaseRefs {
  RefCounts counts;
  std::vector<ObjectId> commits;  // oldest first; the last is that of synthetic_head
  std::vector<ObjectId> tags;     // annotated, by their number
  // In the order of their names: branches, synthetic_head, annotated tags, light ones.
  uint32_t size() const noexcept { return counts.branches + 1 + counts.annotated + counts.light; }
  ServedRef operator[](uint32_t index) const;
  static std::string annotated_name(uint32_t number);  // without "refs/tags/"
  // Which commit an annotated tag is of.
  size_t commit_of_annotated(uint32_t number) const noexcept;
};

class SyntheticRefs {
 public:
  explicit SyntheticRefs(const BaseRefs& base) noexcept : base_(&base) {}

  std::optional<ObjectId> find(std::string_view name) const;
  // A zero id takes it away. `peeled` as in ServedRef.
  void set(const std::string& name, const ObjectId& id, const ObjectId& peeled = {});

  // Calls `each`(const ServedRef&) in the order of the names.
  template <typename Each>
  void for_each(Each each) const {
    auto changed = changed_.begin();
    for (uint32_t index = 0; index < base_->size(); index++) {
      const ServedRef ref = (*base_)[index];
      for (; changed != changed_.end() && changed->first < ref.name; ++changed) give(changed->second, each);
      if (changed != changed_.end() && changed->first == ref.name)
        give((changed++)->second, each);
      else
        each(ref);
    }
    for (; changed != changed_.end(); ++changed) give(changed->second, each);
  }

 private:
  template <typename Each>
  static void give(const ServedRef& ref, Each& each) {
    if (!ref.id.is_zero()) each(ref);
  }

  const BaseRefs* base_;
  std::map<std::string, ServedRef, std::less<>> changed_;
};

}  // namespace breakwater::storm
