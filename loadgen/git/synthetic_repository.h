// A repository made from a seed: a base history by SyntheticContent, commits and tags of its own, and what
// was pushed or came upstream since. Real git can clone it, fetch from it and push to it.
//
// Memory, beside what all share: some 250 bytes for a commit of the base history and 200 for an annotated tag
// (of which there are at most 256 and annotated_tags_max), what was pushed up to pushed_bytes_max, and
// plans_max plans of packs, of 16 bytes for each object of the pack at most. Any thread; nothing suspends.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "git/synthetic_content.h"
#include "git/synthetic_fetch.h"
#include "git/synthetic_refs.h"

namespace breakwater::storm {

// A pack as pieces of memory that stay in place as long as the repository.
struct PackPlan {
  std::string header;                    // its first bytes
  std::vector<std::string_view> pieces;  // its entries
  std::string hash;                      // its last bytes
  uint64_t bytes = 0;                    // of all three
  uint32_t objects = 0;
};

// An answer to a fetch, decided.
struct FetchPlan {
  ObjectId missing;  // a want that is not here: nothing else counts then
  std::vector<ObjectId> common, shallow, unshallow;
  bool is_ready = false;
  PackPlan pack;  // empty unless it was asked for
};

struct RefUpdate {
  std::string name;
  ObjectId old_id, new_id;  // zero: it is not there
};

class SyntheticRepository {
 public:
  static constexpr uint64_t pushed_bytes_max = 256 * 1024 * 1024;
  static constexpr size_t plans_max = 64;

  SyntheticRepository(std::shared_ptr<const SyntheticContent> content, std::string name, uint32_t number);
  SyntheticRepository(const SyntheticRepository&) = delete;
  SyntheticRepository& operator=(const SyntheticRepository&) = delete;

  const std::string& name() const noexcept { return name_; }
  const SyntheticContent& content() const noexcept { return *content_; }
  // As they are now, and as they were before the last change (`stale`). Never null.
  std::shared_ptr<const SyntheticRefs> refs(bool stale = false) const;
  uint64_t version() const;  // one more with every change
  // The type and the content of an object, for dumb clients. nullopt if there is none of that name.
  std::optional<Object> object(const ObjectId& id) const;

  // `wants_pack`: the client needs no more negotiation, or is_ready turns out to be true.
  std::shared_ptr<const FetchPlan> plan(const ServedFetch& request, bool is_done);

  // Takes over objects of a push and moves refs. Why not; an empty text for what was done, one for each
  // update. `unpack` gets the reason if the objects themselves were not taken, and then no ref moves.
  std::vector<std::string> push(const std::vector<Object>& objects, const std::vector<RefUpdate>& updates,
                                std::string& unpack);
  // Upstream moves on: so many commits on synthetic_head, each with a file of fresh content. Its new tip, or
  // a zero id if there is no room for them.
  ObjectId advance(uint32_t commits, uint64_t bytes);

 private:
  const StoredObject* find(const ObjectId& id) const;
  void make_history(uint32_t number);
  std::string refuse(const RefUpdate& update) const;
  bool is_whole(const ObjectId& tip) const;
  ObjectId peel(ObjectId id) const;
  void keep(std::unique_ptr<Shelf> shelf);
  void replace_refs(std::shared_ptr<const SyntheticRefs> refs);
  PackPlan lay_out(const std::vector<const StoredObject*>& objects) const;

  const std::shared_ptr<const SyntheticContent> content_;
  const std::string name_;
  Shelf history_, tags_;
  BaseRefs base_;
  mutable std::mutex mutex_;  // for what follows
  std::deque<std::unique_ptr<Shelf>> pushed_;
  std::unordered_map<ObjectId, const StoredObject*, ObjectIdHash> pushed_objects_;
  uint64_t pushed_bytes_ = 0;
  uint64_t advanced_ = 0;
  uint64_t version_ = 0;
  std::shared_ptr<const SyntheticRefs> refs_, refs_before_;
  std::map<std::string, std::shared_ptr<const FetchPlan>> plans_;  // by their request
};

}  // namespace breakwater::storm
