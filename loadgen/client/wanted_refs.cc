#include "client/wanted_refs.h"

#include <algorithm>
#include <utility>

namespace breakwater::storm {

namespace {
constexpr std::string_view branches = "refs/heads/";
constexpr std::string_view tags = "refs/tags/";
constexpr std::string_view peeled_mark = "^{}";
}  // namespace

// "main", "heads/main" or "refs/heads/main" (gitrevisions(7)); of branches and tags.
bool WantedRefs::is_named(std::string_view name) const noexcept {
  const std::string_view wanted = operation_.ref;
  if (name == wanted) return true;
  for (const std::string_view prefix : {std::string_view("refs/"), tags, branches})
    if (name.starts_with(prefix) && name.substr(prefix.size()) == wanted) return true;
  return false;
}

void WantedRefs::see(const Ref& ref) {
  ++refs_;
  const bool is_one = !operation_.ref.empty();
  if (ref.name.ends_with(peeled_mark)) return see_peeled(ref.id);
  open_tag_ = {};
  if (ref.name == "HEAD") {
    if (!is_one) head_ = ref.id;
    // Of a shallow clone it is all that is wanted, with the branch that it names.
    const bool is_shallow_clone = operation_.verb == Verb::clone && operation_.depth > 0 && !is_one;
    if (operation_.verb == Verb::clone && !(operation_.depth > 0 && is_one)) want(ref.id);
    if (is_shallow_clone) want(ref.id);
    return;
  }
  const bool is_single_branch = operation_.verb == Verb::clone && operation_.depth > 0;
  const bool is_the_one = is_one && is_named(ref.name);
  if (is_the_one) head_ = ref.id;
  if (ref.name.starts_with(branches)) {
    const bool takes_all = operation_.verb == Verb::clone ? !is_single_branch : !is_one;
    if (takes_all || is_the_one) see_branch(ref.id);
  } else if (ref.name.starts_with(tags)) {
    if (is_the_one && operation_.verb != Verb::clone)
      want(ref.id);
    else if (!is_single_branch || is_the_one)
      see_tag(ref);
  } else if (is_the_one) {
    see_branch(ref.id);
  }
}

void WantedRefs::see_branch(const ObjectId& id) {
  note(id, true);
  if (is_new(id)) want(id);
}

void WantedRefs::see_tag(const Ref& ref) {
  const bool takes_all = operation_.verb == Verb::clone || operation_.verb == Verb::tags;
  if (takes_all) {
    note(ref.id, false);
    if (is_new(ref.id)) want(ref.id);
    return;
  }
  if (!follows_tags_ || !is_new(ref.id)) return;
  open_tag_ = ref.id;
  if (is_wanted(ref.peeled.is_zero() ? ref.id : ref.peeled))
    see_peeled(ref.peeled.is_zero() ? ref.id : ref.peeled);
}

void WantedRefs::see_peeled(const ObjectId& peeled) {
  if (open_tag_.is_zero() || !is_wanted(peeled)) return;
  note(open_tag_, false);
  want(open_tag_);
  open_tag_ = {};
}

bool WantedRefs::is_wanted(const ObjectId& id) {
  if (wanted_.empty()) {
    for (const ObjectId& wanted : wants_) wanted_.push_back(LocalCopy::shortened(wanted));
    std::ranges::sort(wanted_);
  }
  return std::ranges::binary_search(wanted_, LocalCopy::shortened(id));
}

void WantedRefs::want(const ObjectId& id) {
  if (!is_too_many()) wants_.push_back(id);
}

void WantedRefs::note(const ObjectId& id, bool is_commit) {
  if (is_commit && next_.tips.size() < LocalCopies::tips_max &&
      std::ranges::find(next_.tips, id) == next_.tips.end())
    next_.tips.push_back(id);
  if (next_.seen.size() < LocalCopies::seen_max) next_.seen.push_back(LocalCopy::shortened(id));
}

void WantedRefs::leave_out_head() {
  if (head_.is_zero() || wants_.size() < 2 || wants_.front() != head_) return;
  const bool is_named_again = std::find(wants_.begin() + 1, wants_.end(), head_) != wants_.end();
  if (is_named_again && operation_.verb == Verb::clone) wants_.erase(wants_.begin());
}

LocalCopy WantedRefs::copy() && {
  if (next_.tips.empty() && !head_.is_zero()) note(head_, true);
  std::ranges::sort(next_.seen);
  return std::move(next_);
}

}  // namespace breakwater::storm
