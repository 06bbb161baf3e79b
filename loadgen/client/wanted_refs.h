// WantedRefs: which of a server's refs an operation wants to have, decided as they come, so that none are
// kept. What git does of that depends on the command: clone.c (wanted_peer_refs), fetch.c (get_ref_map,
// find_non_local_tags). Servers tell of branches before tags, for refs are sorted. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "client/local_copies.h"
#include "git/advertisement.h"
#include "plan/operation.h"

namespace breakwater::storm {

class WantedRefs {
 public:
  // Of a server with more, no more are asked for, and is_too_many() tells so.
  static constexpr size_t wants_max = 200'000;

  // `copy`: what the runner has; null: nothing. Both outlive it. `follows_tags`: a fetch gets tags that point
  // to what it gets.
  WantedRefs(const Operation& operation, const LocalCopy* copy, bool follows_tags) noexcept
      : operation_(operation), copy_(copy), follows_tags_(follows_tags) {}

  void see(const Ref& ref);
  static void on_ref(void* self, const Ref& ref) { static_cast<WantedRefs*>(self)->see(ref); }

  // An object as often as refs name it, as git does; before v2 HEAD is not one of them if a branch names it.
  const std::vector<ObjectId>& wants() const noexcept { return wants_; }
  void leave_out_head();
  // What the runner will have then, to say it to the server the next time: commits, and the names of all
  // refs.
  LocalCopy copy() &&;
  // The ref that the operation is about, or HEAD; zero: there is none.
  const ObjectId& head() const noexcept { return head_; }
  uint32_t refs() const noexcept { return refs_; }
  bool is_too_many() const noexcept { return wants_.size() >= wants_max; }

 private:
  bool is_named(std::string_view name) const noexcept;
  void see_branch(const ObjectId& id);
  void see_tag(const Ref& ref);
  void see_peeled(const ObjectId& peeled);
  bool is_new(const ObjectId& id) const noexcept { return copy_ == nullptr || !copy_->has(id); }
  bool is_wanted(const ObjectId& id);
  void want(const ObjectId& id);
  void note(const ObjectId& id, bool is_commit);

  const Operation& operation_;
  const LocalCopy* const copy_;
  const bool follows_tags_;
  ObjectId head_;
  ObjectId open_tag_;  // whose peeled form may follow, in a line of its own
  std::vector<ObjectId> wants_;
  std::vector<uint64_t> wanted_;  // the same, shortened and sorted, once tags come
  LocalCopy next_;
  uint32_t refs_ = 0;
};

}  // namespace breakwater::storm
