#include "git/tree_blobs.h"

#include <algorithm>
#include <cstring>

#include "git/pack_objects.h"

namespace breakwater::storm {

namespace {

constexpr size_t header_bytes = 12;
constexpr ObjectType trees[] = {ObjectType::tree};
constexpr bool is_no_type(uint8_t type) {
  return type == 0 || type == 5;
}

// "100644 name\0<id>", again and again; a mode of a file or a link begins with "10" or "12".
void add_blobs(std::string_view tree_content, HashKind kind, size_t most, std::vector<ObjectId>& blobs) {
  const size_t id_bytes = bytes_of(kind);
  while (blobs.size() < most) {
    const size_t end = tree_content.find('\0');
    if (end == std::string_view::npos || tree_content.size() - end - 1 < id_bytes) return;
    const bool is_file = tree_content.starts_with("10") || tree_content.starts_with("12");
    ObjectId id;
    id.kind = kind;
    std::memcpy(id.raw.data(), tree_content.data() + end + 1, id_bytes);
    if (is_file && std::ranges::find(blobs, id) == blobs.end()) blobs.push_back(id);
    tree_content.remove_prefix(end + 1 + id_bytes);
  }
}

}  // namespace

std::vector<ObjectId> blobs_of_trees(std::string_view pack, HashKind kind, size_t most) {
  std::vector<ObjectId> blobs;
  if (pack.size() < header_bytes || !pack.starts_with("PACK")) return blobs;
  pack.remove_prefix(header_bytes);
  while (blobs.size() < most) {
    const PackedObject object = read_packed_object(pack, kind, trees, tree_bytes_max);
    if (object.bytes == 0 || is_no_type(object.type)) break;
    add_blobs(object.content, kind, most, blobs);
    pack.remove_prefix(object.bytes);
  }
  return blobs;
}

}  // namespace breakwater::storm
