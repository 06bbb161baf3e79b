// What the synthetic repositories of one server have in common: the trees and blobs of their base history, as
// entries of a pack. Made once from a seed; then only read, from every core.
//
// The repositories differ in their commits and tags alone (synthetic_repository.h), so any number of them
// with packs of S bytes takes about S bytes, and still none of them can be taken for another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "git/object.h"

namespace breakwater::storm {

// An object as an entry of a pack, stored and undeltified.
struct StoredObject {
  ObjectType type = ObjectType::blob;
  std::string_view entry;  // in place for as long as what holds it
  size_t content_bytes = 0;
};

// Objects whose entries stand one behind the other. Filled, then sealed, then only read.
class Shelf {
 public:
  Shelf() = default;
  Shelf(const Shelf&) = delete;
  Shelf& operator=(const Shelf&) = delete;

  // So many bytes will come, about.
  void reserve(size_t bytes) { bytes_.reserve(bytes); }
  // What is there already is not added a second time.
  ObjectId add(ObjectType type, std::string_view content);
  void add(const Object& object);
  // From now on entries stay where they are; nothing is added any more.
  void seal();
  const StoredObject* find(const ObjectId& id) const;  // after seal()
  size_t bytes() const noexcept { return bytes_.size(); }
  const std::vector<ObjectId>& ids() const noexcept { return ids_; }

 private:
  std::string bytes_;
  std::vector<ObjectId> ids_;  // in their order
  std::vector<size_t> begins_;
  std::unordered_map<ObjectId, StoredObject, ObjectIdHash> objects_;
};

// An object of Git LFS: its name is the SHA-256 of its content, which is noise() of a seed.
struct SyntheticLfsObject {
  std::string name;
  uint64_t seed = 0;
  uint64_t bytes = 0;
};

struct SyntheticSettings {
  uint64_t seed = 1;
  uint64_t pack_bytes = 1024 * 1024;  // about; of a whole clone of the base history
  uint32_t refs = 20;                 // branches and tags, the one that HEAD names among them; at least one
  uint64_t lfs_bytes = 1024 * 1024;   // of each of the LFS objects that the tree names
};

class SyntheticContent {
 public:
  static constexpr uint32_t commits_max = 256;
  static constexpr uint32_t files = 32;  // below src/, replaced in turns
  static constexpr uint32_t lfs_files = 2;

  explicit SyntheticContent(const SyntheticSettings& settings);

  const SyntheticSettings& settings() const noexcept { return settings_; }
  // For each commit of the base history, oldest first, the tree that it has.
  const std::vector<ObjectId>& roots() const noexcept { return roots_; }
  const Shelf& trees() const noexcept { return trees_; }
  const Shelf& blobs() const noexcept { return blobs_; }
  const StoredObject* find(const ObjectId& id) const;
  const std::vector<SyntheticLfsObject>& lfs() const noexcept { return lfs_; }

 private:
  void add_commits(uint32_t commits);

  SyntheticSettings settings_;
  Shelf trees_, blobs_;
  std::vector<ObjectId> roots_;
  std::vector<SyntheticLfsObject> lfs_;
};

}  // namespace breakwater::storm
