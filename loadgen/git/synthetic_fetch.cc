#include "git/synthetic_fetch.h"

#include <algorithm>
#include <utility>

#include "git/pack_writer.h"

namespace breakwater::storm {

namespace {

int rank(ObjectType type) noexcept {
  switch (type) {
    case ObjectType::commit:
      return 0;
    case ObjectType::tag:
      return 1;
    case ObjectType::tree:
      return 2;
    case ObjectType::blob:
      break;
  }
  return 3;
}

}  // namespace

FetchObjects::FetchObjects(Find find, const ServedFetch& request)
    : find_(std::move(find)), request_(request) {
  for (const ObjectId& id : request.haves) {
    if (find_(id) != nullptr) common_.push_back(id);
  }
  sort_wants();
  client_cut_ = {request.shallow.begin(), request.shallow.end()};
  client_commits_ = history_of(common_, client_cut_);
  cut_ = client_cut_;
  if (request.depth > 0) find_depth();
}

std::vector<Link> FetchObjects::links(const ObjectId& id) const {
  const StoredObject* const object = find_(id);
  if (object == nullptr || object->type == ObjectType::blob) return {};
  return links_of(object->type, stored_entry_content(object->entry)).value_or(std::vector<Link>());
}

void FetchObjects::sort_wants() {
  for (const ObjectId& want : request_.wants) {
    ObjectId id = want;
    const StoredObject* object = find_(id);
    if (object == nullptr) {
      missing_ = want;
      continue;
    }
    while (object != nullptr && object->type == ObjectType::tag) {
      others_.push_back(id);
      const std::vector<Link> tagged = links(id);
      if (tagged.empty()) break;
      id = tagged.front().id;
      object = find_(id);
    }
    if (object == nullptr || object->type == ObjectType::tag) continue;
    (object->type == ObjectType::commit ? tips_ : others_).push_back(id);
  }
}

// All commits that can be reached from `tips`, but not through the parents of those in `cut`.
FetchObjects::Ids FetchObjects::history_of(const std::vector<ObjectId>& tips, const Ids& cut) const {
  Ids seen;
  std::vector<ObjectId> open = tips;
  while (!open.empty()) {
    const ObjectId id = open.back();
    open.pop_back();
    const StoredObject* const object = find_(id);
    const bool leads_on =
        object != nullptr && (object->type == ObjectType::commit || object->type == ObjectType::tag);
    if (!leads_on || !seen.insert(id).second || cut.contains(id)) continue;
    for (const Link& link : links(id)) {
      if (link.type == ObjectType::commit || link.type == ObjectType::tag) open.push_back(link.id);
    }
  }
  return seen;
}

// Level by level from the tips (or, if relative, from the client's shallow commits): those of the last level
// lose their parents, and those of the client's that are passed by get them back.
void FetchObjects::find_depth() {
  std::vector<ObjectId> level = tips_;
  uint32_t depth = request_.depth;
  if (request_.depth_is_relative && !request_.shallow.empty()) {
    level = request_.shallow;
    depth = std::min(depth, ServedFetch::whole - 1) + 1;
  }
  Ids seen, passed;
  cut_ = {};
  for (uint32_t at = 1; !level.empty(); at++) {
    std::vector<ObjectId> next;
    for (const ObjectId& id : level) {
      if (!seen.insert(id).second) continue;
      const std::vector<Link> below = links(id);
      if (below.size() < 2) continue;  // a root
      if (at == depth) {
        cut_.insert(id);
        continue;
      }
      passed.insert(id);
      for (const Link& link : below) {
        if (link.type == ObjectType::commit) next.push_back(link.id);
      }
    }
    level = std::move(next);
  }
  for (const ObjectId& id : cut_) {
    if (!client_cut_.contains(id)) new_shallow_.push_back(id);
  }
  for (const ObjectId& id : request_.shallow) {
    if (passed.contains(id)) unshallow_.push_back(id);
  }
  std::ranges::sort(new_shallow_);
}

bool FetchObjects::is_ready() const {
  if (common_.empty()) return false;
  const Ids common(common_.begin(), common_.end());
  return std::ranges::all_of(tips_, [&](const ObjectId& tip) {
    const Ids history = history_of({tip}, {});
    return std::ranges::any_of(common_, [&](const ObjectId& id) { return history.contains(id); });
  });
}

std::vector<const StoredObject*> FetchObjects::select(const SyntheticRefs& refs) {
  for (const ObjectId& id : client_commits_) {
    for (const Link& link : links(id)) {
      if (link.type == ObjectType::tree) note_tree(link.id);
    }
  }
  std::vector<ObjectId> starts = tips_;
  // What a client gets back the parents of, it has; the parents it may not have.
  for (const ObjectId& id : unshallow_) starts.push_back(id);
  for (const ObjectId& id : history_of(starts, cut_)) {
    const StoredObject* const object = find_(id);
    if (client_commits_.contains(id) || object == nullptr) continue;
    add(id, *object);
    for (const Link& link : links(id)) {
      if (link.type == ObjectType::tree) add_below(link.id, 0, true);
    }
  }
  for (const ObjectId& id : others_) {
    const StoredObject* const object = find_(id);
    if (object->type == ObjectType::tag || object->type == ObjectType::blob)
      add(id, *object);  // a filter does not hold for what is asked for by its name
    else
      add_below(id, 0, false);
  }
  if (request_.include_tags) {
    refs.for_each([&](const ServedRef& ref) {
      const bool comes = !ref.peeled.is_zero() && chosen_.contains(ref.peeled);
      const StoredObject* const tag = comes ? find_(ref.id) : nullptr;
      if (tag != nullptr) add(ref.id, *tag);
    });
  }
  std::ranges::sort(selected_, [](const StoredObject* a, const StoredObject* b) {
    return std::pair(rank(a->type), a->entry.data()) < std::pair(rank(b->type), b->entry.data());
  });
  return std::move(selected_);
}

void FetchObjects::add(const ObjectId& id, const StoredObject& object) {
  if (chosen_.insert(id).second) selected_.push_back(&object);
}

void FetchObjects::add_below(const ObjectId& id, uint32_t depth, bool is_filtered) {
  const StoredObject* const object = find_(id);
  if (object == nullptr || chosen_.contains(id) || client_objects_.contains(id)) return;
  if (is_filtered && depth >= request_.filter.depth_below) return;
  if (object->type == ObjectType::blob && object->content_bytes >= request_.filter.blob_bytes_below) return;
  add(id, *object);
  if (object->type != ObjectType::tree) return;
  for (const Link& link : links(id)) add_below(link.id, depth + 1, true);
}

void FetchObjects::note_tree(const ObjectId& id) {
  if (!client_objects_.insert(id).second) return;
  for (const Link& link : links(id)) {
    if (link.type == ObjectType::tree)
      note_tree(link.id);
    else
      client_objects_.insert(link.id);
  }
}

}  // namespace breakwater::storm
