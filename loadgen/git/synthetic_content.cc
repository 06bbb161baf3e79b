#include "git/synthetic_content.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/rng.h"
#include "git/digest.h"
#include "git/pack_writer.h"
#include "git/synthetic_commit.h"

namespace breakwater::storm {

namespace {

constexpr uint32_t commits_min = 4;
constexpr uint64_t bytes_per_commit = 32 * 1024;

SyntheticLfsObject make_lfs_object(uint64_t seed, uint64_t bytes) {
  Digest digest(HashKind::sha256);
  digest.add(noise(seed, bytes));
  return {digest.finish().hex(), seed, bytes};
}

// As git-lfs writes it (docs/spec.md of git-lfs).
std::string pointer_to(const SyntheticLfsObject& object) {
  return "version https://git-lfs.github.com/spec/v1\noid sha256:" + object.name + "\nsize " +
         std::to_string(object.bytes) + "\n";
}

std::string two_digits(uint32_t number) {
  return {static_cast<char>('0' + number / 10), static_cast<char>('0' + number % 10)};
}

}  // namespace

ObjectId Shelf::add(ObjectType type, std::string_view content) {
  const ObjectId id = id_of(name(type), content);
  if (!objects_.try_emplace(id, StoredObject{type, {}, content.size()}).second) return id;
  ids_.push_back(id);
  begins_.push_back(bytes_.size());
  append_pack_entry(bytes_, type, content);
  return id;
}

void Shelf::add(const Object& object) {
  const ObjectId id = add(object.type, object.content);
  BW_ASSERT(id == object.id);
}

void Shelf::seal() {
  begins_.push_back(bytes_.size());
  const std::string_view all = bytes_;
  for (size_t index = 0; index < ids_.size(); index++)
    objects_[ids_[index]].entry = all.substr(begins_[index], begins_[index + 1] - begins_[index]);
  begins_ = {};
}

const StoredObject* Shelf::find(const ObjectId& id) const {
  const auto found = objects_.find(id);
  return found == objects_.end() ? nullptr : &found->second;
}

SyntheticContent::SyntheticContent(const SyntheticSettings& settings) : settings_(settings) {
  BW_ASSERT(settings.refs > 0);
  for (uint32_t file = 0; file < lfs_files; file++)
    lfs_.push_back(make_lfs_object(Rng(settings.seed ^ 0x1f5u).next() + file, settings.lfs_bytes));
  const uint64_t wanted = settings.pack_bytes / bytes_per_commit;
  add_commits(static_cast<uint32_t>(std::clamp<uint64_t>(wanted, commits_min, commits_max)));
  trees_.seal();
  blobs_.seal();
}

// Each commit replaces one file; the first has all of them, so there is something to leave out of a shallow
// clone, and something that is left.
void SyntheticContent::add_commits(uint32_t commits) {
  const uint64_t blobs = commits - 1 + files;
  const size_t blob_bytes = settings_.pack_bytes / blobs;
  const uint64_t seed = Rng(settings_.seed).next();
  blobs_.reserve(settings_.pack_bytes + blobs * 64);
  uint64_t made = 0;
  const auto add_blob = [&] {
    const std::string mark = "content " + std::to_string(made) + "\n";
    made++;
    const size_t noise_bytes = blob_bytes > mark.size() ? blob_bytes - mark.size() : 0;
    return blobs_.add(ObjectType::blob, mark + noise(seed + made, noise_bytes));
  };
  std::array<ObjectId, files> ids;
  for (ObjectId& id : ids) id = add_blob();
  std::vector<TreeEntry> root = {{"README.md", blobs_.add(ObjectType::blob, "# Made from a seed\n")}};
  for (const SyntheticLfsObject& object : lfs_)
    root.push_back({"asset" + object.name.substr(0, 8), blobs_.add(ObjectType::blob, pointer_to(object))});
  for (uint32_t commit = 0; commit < commits; commit++) {
    if (commit > 0) ids[commit % files] = add_blob();
    std::vector<TreeEntry> source;
    for (uint32_t file = 0; file < files; file++) source.push_back({"file" + two_digits(file), ids[file]});
    std::vector<TreeEntry> entries = root;
    const ObjectId below = trees_.add(ObjectType::tree, tree_content(std::move(source)));
    entries.push_back({"src", below, TreeEntry::Mode::directory});
    roots_.push_back(trees_.add(ObjectType::tree, tree_content(std::move(entries))));
  }
}

const StoredObject* SyntheticContent::find(const ObjectId& id) const {
  const StoredObject* const tree = trees_.find(id);
  return tree != nullptr ? tree : blobs_.find(id);
}

}  // namespace breakwater::storm
