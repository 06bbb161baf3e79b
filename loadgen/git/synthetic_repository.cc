#include "git/synthetic_repository.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"
#include "base/rng.h"
#include "git/digest.h"
#include "git/pack_writer.h"
#include "git/synthetic_commit.h"

namespace breakwater::storm {

namespace {

constexpr int64_t first_commit_seconds = 1'767'225'600;  // 2026-01-01
constexpr int64_t seconds_between = 3600;
constexpr uint64_t seconds_of_base_max = SyntheticContent::commits_max * seconds_between;

void append_ids(std::string& key, char what, const std::vector<ObjectId>& ids) {
  std::vector<ObjectId> sorted = ids;
  std::ranges::sort(sorted);
  key += what;
  for (const ObjectId& id : sorted) key.append(reinterpret_cast<const char*>(id.raw.data()), id.size());
}

// Requests with the same key get the same answer, as long as no ref changes.
std::string key_of(const ServedFetch& request, bool is_done) {
  std::string key;
  append_ids(key, 'w', request.wants);
  append_ids(key, 'h', request.haves);
  append_ids(key, 's', request.shallow);
  for (const uint64_t value :
       {uint64_t{request.depth}, uint64_t{request.depth_is_relative}, uint64_t{request.include_tags},
        request.filter.blob_bytes_below, uint64_t{request.filter.depth_below}, uint64_t{is_done}})
    key += ' ' + std::to_string(value);
  return key;
}

}  // namespace

SyntheticRepository::SyntheticRepository(std::shared_ptr<const SyntheticContent> content, std::string name,
                                         uint32_t number)
    : content_(std::move(content)),
      name_(std::move(name)),
      base_{RefCounts(content_->settings().refs), {}, {}} {
  make_history(number);
  refs_ = refs_before_ = std::make_shared<SyntheticRefs>(base_);
}

void SyntheticRepository::make_history(uint32_t number) {
  CommitText text;
  for (const ObjectId& root : content_->roots()) {
    const std::string count = std::to_string(base_.commits.size());
    text.tree = root;
    text.author.seconds = text.committer.seconds =
        first_commit_seconds + seconds_between * static_cast<int64_t>(base_.commits.size());
    text.message = "Commit " + count + " of repository " + std::to_string(number) + "\n";
    const ObjectId id = history_.add(ObjectType::commit, commit_content(text));
    base_.commits.push_back(id);
    text.parents = {id};
  }
  for (uint32_t index = 0; index < base_.counts.annotated; index++) {
    TagText tag{.object = base_.commits[base_.commit_of_annotated(index)],
                .type = ObjectType::commit,
                .name = BaseRefs::annotated_name(index),
                .tagger = {},
                .message = "A tag of repository " + std::to_string(number) + "\n"};
    tag.tagger.seconds = first_commit_seconds;
    base_.tags.push_back(tags_.add(ObjectType::tag, tag_content(tag)));
  }
  history_.seal();
  tags_.seal();
}

std::shared_ptr<const SyntheticRefs> SyntheticRepository::refs(bool stale) const {
  const std::scoped_lock lock(mutex_);
  return stale ? refs_before_ : refs_;
}

uint64_t SyntheticRepository::version() const {
  const std::scoped_lock lock(mutex_);
  return version_;
}

const StoredObject* SyntheticRepository::find(const ObjectId& id) const {
  for (const StoredObject* const object : {history_.find(id), tags_.find(id), content_->find(id)}) {
    if (object != nullptr) return object;
  }
  const auto found = pushed_objects_.find(id);
  return found == pushed_objects_.end() ? nullptr : found->second;
}

std::optional<Object> SyntheticRepository::object(const ObjectId& id) const {
  const std::scoped_lock lock(mutex_);
  const StoredObject* const object = find(id);
  if (object == nullptr) return std::nullopt;
  return Object{object->type, stored_entry_content(object->entry), id};
}

std::shared_ptr<const FetchPlan> SyntheticRepository::plan(const ServedFetch& request, bool is_done) {
  const std::string key = key_of(request, is_done);
  std::shared_ptr<FetchPlan> plan;
  std::vector<const StoredObject*> objects;
  uint64_t version = 0;
  bool has_pack = false;
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = plans_.find(key); known != plans_.end()) return known->second;
    version = version_;
    plan = std::make_shared<FetchPlan>();
    FetchObjects fetch([this](const ObjectId& id) { return find(id); }, request);
    plan->missing = fetch.missing();
    plan->common = fetch.common();
    plan->shallow = fetch.new_shallow();
    plan->unshallow = fetch.unshallow();
    plan->is_ready = !is_done && fetch.is_ready();
    has_pack = plan->missing.is_zero() && (is_done || plan->is_ready);
    if (has_pack) objects = fetch.select(*refs_);
  }
  // The hash over the pack is the work, and what it is over stays in place: others need not wait.
  if (has_pack) plan->pack = lay_out(objects);
  const std::scoped_lock lock(mutex_);
  if (version != version_) return plan;
  if (plans_.size() == plans_max) plans_.clear();
  return plans_.emplace(key, plan).first->second;
}

PackPlan SyntheticRepository::lay_out(const std::vector<const StoredObject*>& objects) const {
  PackPlan pack;
  pack.objects = static_cast<uint32_t>(objects.size());
  append_pack_header(pack.header, pack.objects);
  for (const StoredObject* const object : objects) {
    const std::string_view entry = object->entry;
    if (!pack.pieces.empty() && pack.pieces.back().data() + pack.pieces.back().size() == entry.data())
      pack.pieces.back() = {pack.pieces.back().data(), pack.pieces.back().size() + entry.size()};
    else
      pack.pieces.push_back(entry);
  }
  Digest digest;
  digest.add(pack.header);
  pack.bytes = pack.header.size();
  for (const std::string_view piece : pack.pieces) {
    digest.add(piece);
    pack.bytes += piece.size();
  }
  const ObjectId hash = digest.finish();
  pack.hash.assign(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
  pack.bytes += pack.hash.size();
  return pack;
}

std::vector<std::string> SyntheticRepository::push(const std::vector<Object>& objects,
                                                   const std::vector<RefUpdate>& updates,
                                                   std::string& unpack) {
  auto shelf = std::make_unique<Shelf>();
  for (const Object& object : objects) shelf->add(object);
  shelf->seal();
  const std::scoped_lock lock(mutex_);
  if (pushed_bytes_ + shelf->bytes() > pushed_bytes_max)
    unpack = "there is no room for more in this repository";
  else
    keep(std::move(shelf));
  auto refs = std::make_shared<SyntheticRefs>(*refs_);
  std::vector<std::string> reasons;
  for (const RefUpdate& update : updates) {
    std::string reason = unpack.empty() ? refuse(update) : "unpacker error";
    if (reason.empty()) {
      const ObjectId peeled = peel(update.new_id);
      refs->set(update.name, update.new_id, peeled == update.new_id ? ObjectId{} : peeled);
    }
    reasons.push_back(std::move(reason));
  }
  if (std::ranges::any_of(reasons, &std::string::empty)) replace_refs(std::move(refs));
  return reasons;
}

std::string SyntheticRepository::refuse(const RefUpdate& update) const {
  const ObjectId is = refs_->find(update.name).value_or(ObjectId{});
  if (is != update.old_id) return "it is not what the client takes it for";
  if (!update.name.starts_with("refs/")) return "funny refname";
  if (update.new_id.is_zero())
    return update.name == synthetic_head ? "deletion of the current branch prohibited" : "";
  return is_whole(update.new_id) ? "" : "missing necessary objects";
}

// All that can be reached from what was pushed must be there. What the base history has leads to itself only.
bool SyntheticRepository::is_whole(const ObjectId& tip) const {
  std::vector<ObjectId> open = {tip};
  std::unordered_map<ObjectId, bool, ObjectIdHash> seen;
  while (!open.empty()) {
    const ObjectId id = open.back();
    open.pop_back();
    if (!seen.try_emplace(id, true).second) continue;
    const auto pushed = pushed_objects_.find(id);
    if (pushed == pushed_objects_.end()) {
      if (find(id) == nullptr) return false;
      continue;
    }
    const auto links = links_of(pushed->second->type, stored_entry_content(pushed->second->entry));
    if (!links) return false;
    for (const Link& link : *links) open.push_back(link.id);
  }
  return true;
}

ObjectId SyntheticRepository::peel(ObjectId id) const {
  const StoredObject* object = find(id);
  while (object != nullptr && object->type == ObjectType::tag) {
    const auto links = links_of(object->type, stored_entry_content(object->entry));
    if (!links) break;
    id = links->front().id;
    object = find(id);
  }
  return id;
}

void SyntheticRepository::keep(std::unique_ptr<Shelf> shelf) {
  pushed_bytes_ += shelf->bytes();
  for (const ObjectId& id : shelf->ids()) pushed_objects_.try_emplace(id, shelf->find(id));
  pushed_.push_back(std::move(shelf));
}

void SyntheticRepository::replace_refs(std::shared_ptr<const SyntheticRefs> refs) {
  refs_before_ = std::exchange(refs_, std::move(refs));
  version_++;
  plans_.clear();
}

ObjectId SyntheticRepository::advance(uint32_t commits, uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  auto shelf = std::make_unique<Shelf>();
  CommitText text;
  ObjectId tip = *refs_->find(synthetic_head);
  for (uint32_t number = 0; number < commits; number++) {
    const uint64_t seed = Rng(content_->settings().seed + std::hash<std::string>{}(name_)).next() + advanced_;
    const ObjectId blob = shelf->add(ObjectType::blob, noise(seed, bytes));
    // Beside the new file stands what the base history ended with.
    const ObjectId root = shelf->add(
        ObjectType::tree,
        tree_content({{"news.bin", blob}, {"base", content_->roots().back(), TreeEntry::Mode::directory}}));
    text.tree = root;
    text.parents = {tip};
    text.author.seconds = text.committer.seconds =
        first_commit_seconds + static_cast<int64_t>(seconds_of_base_max + ++advanced_);
    text.message = "News " + std::to_string(advanced_) + " of " + name_ + "\n";
    tip = shelf->add(ObjectType::commit, commit_content(text));
  }
  shelf->seal();
  if (pushed_bytes_ + shelf->bytes() > pushed_bytes_max) return {};
  keep(std::move(shelf));
  auto refs = std::make_shared<SyntheticRefs>(*refs_);
  refs->set(std::string(synthetic_head), tip);
  replace_refs(std::move(refs));
  return tip;
}

}  // namespace breakwater::storm
