#include "git/tree_blobs.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>

namespace breakwater::storm {

namespace {

constexpr size_t header_bytes = 12;
enum : uint8_t { tree = 2, blob = 3, offset_delta = 6, id_delta = 7 };

// One object after the other.
class Walk {
 public:
  Walk(std::string_view pack, HashKind kind) noexcept : rest_(pack), kind_(kind) {
    inflates_ = inflateInit(&stream_) == Z_OK;
  }
  ~Walk() {
    if (inflates_) inflateEnd(&stream_);
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

  // False: it ends, or is none. `content` is a tree's, and empty for anything else.
  bool next(std::string& content) {
    content.clear();
    uint8_t type = 0;
    uint64_t size = 0;
    if (!inflates_ || !take_head(type, size) || !skip_base(type)) return false;
    const bool is_kept = type == tree && size <= tree_bytes_max;
    return inflate_one(is_kept ? &content : nullptr);
  }

 private:
  bool take(uint8_t& byte) {
    if (rest_.empty()) return false;
    byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return true;
  }
  bool take_head(uint8_t& type, uint64_t& size) {
    uint8_t byte = 0;
    if (!take(byte)) return false;
    type = byte >> 4 & 7;
    size = byte & 15;
    for (unsigned shift = 4; (byte & 0x80) != 0; shift += 7) {
      if (shift > 57 || !take(byte)) return false;
      size |= uint64_t{byte & 0x7fu} << shift;
    }
    return type != 0 && type != 5;
  }
  bool skip_base(uint8_t type) {
    if (type == id_delta) {
      if (rest_.size() < bytes_of(kind_)) return false;
      rest_.remove_prefix(bytes_of(kind_));
    }
    if (type != offset_delta) return true;
    uint8_t byte = 0x80;
    while ((byte & 0x80) != 0)
      if (!take(byte)) return false;
    return true;
  }
  bool inflate_one(std::string* content) {
    std::array<char, 16 * 1024> room;
    inflateReset(&stream_);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest_.data()));
    stream_.avail_in = static_cast<uInt>(rest_.size());
    int status = Z_OK;
    while (status == Z_OK) {
      stream_.next_out = reinterpret_cast<Bytef*>(room.data());
      stream_.avail_out = room.size();
      status = inflate(&stream_, Z_NO_FLUSH);
      const size_t bytes = room.size() - stream_.avail_out;
      if (content != nullptr && content->size() + bytes > tree_bytes_max) return false;
      if (content != nullptr) content->append(room.data(), bytes);
    }
    rest_.remove_prefix(rest_.size() - stream_.avail_in);
    return status == Z_STREAM_END;
  }

  std::string_view rest_;
  HashKind kind_;
  z_stream stream_{};
  bool inflates_;
};

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
  Walk walk(pack.substr(header_bytes), kind);
  std::string content;
  while (blobs.size() < most && walk.next(content)) add_blobs(content, kind, most, blobs);
  return blobs;
}

}  // namespace breakwater::storm
