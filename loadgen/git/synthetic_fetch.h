// What a fetch gets, as git-upload-pack(1) decides it: which objects are reachable from what was asked for
// and not from what the client has, within its depth and filter. Pure: objects are looked up by a function.
//
// What is reachable from a commit that the client names is taken for there, also beyond the commits that a
// filter left bare; what lies behind its shallow commits is not.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "git/synthetic_content.h"
#include "git/synthetic_refs.h"

namespace breakwater::storm {

struct FetchFilter {
  // Blobs of so many bytes and more stay away; 0: all of them (blob:none).
  uint64_t blob_bytes_below = UINT64_MAX;
  // Trees and blobs so far below a commit, and further, stay away: its tree is 0 (tree:N).
  uint32_t depth_below = UINT32_MAX;
};

struct ServedFetch {
  static constexpr uint32_t whole = 0x7fffffff;  // what `--unshallow` asks for
  std::vector<ObjectId> wants, haves;
  std::vector<ObjectId> shallow;   // of the client: it has them without their parents
  uint32_t depth = 0;              // 0: as far as the client's shallow commits
  bool depth_is_relative = false;  // to those
  bool include_tags = false;
  FetchFilter filter;
};

class FetchObjects {
 public:
  using Find = std::function<const StoredObject*(const ObjectId&)>;
  // `find` is only used in calls of this object.
  FetchObjects(Find find, const ServedFetch& request);

  const std::vector<ObjectId>& common() const noexcept { return common_; }  // haves that are here
  // A want that is not here; none: zero.
  const ObjectId& missing() const noexcept { return missing_; }
  // Every commit that is wanted has an ancestor among the common ones: more haves would change nothing.
  bool is_ready() const;
  // Of the client's view, which commits have no parents from now on, and which have them again.
  const std::vector<ObjectId>& new_shallow() const noexcept { return new_shallow_; }
  const std::vector<ObjectId>& unshallow() const noexcept { return unshallow_; }

  // What goes into the pack: commits, tags, trees, blobs; of each kind in the order of their memory.
  std::vector<const StoredObject*> select(const SyntheticRefs& refs);

 private:
  using Ids = std::unordered_set<ObjectId, ObjectIdHash>;
  std::vector<Link> links(const ObjectId& id) const;
  void sort_wants();
  Ids history_of(const std::vector<ObjectId>& tips, const Ids& cut) const;
  void find_depth();
  void add(const ObjectId& id, const StoredObject& object);
  void add_below(const ObjectId& id, uint32_t depth, bool is_filtered);
  void note_tree(const ObjectId& id);

  Find find_;
  const ServedFetch& request_;
  std::vector<ObjectId> common_, new_shallow_, unshallow_;
  ObjectId missing_;
  std::vector<ObjectId> tips_;    // commits that are wanted, tags peeled
  std::vector<ObjectId> others_;  // wanted tags, trees and blobs
  Ids client_cut_, cut_, client_commits_, client_objects_, chosen_;
  std::vector<const StoredObject*> selected_;
};

}  // namespace breakwater::storm
