// Writes packs (gitformat-pack(5), version 2): a header, entries, and the hash over all of it. Every byte is
// appended to `out`, which the caller may send and empty between two calls, so that a pack of any size passes
// through little memory. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "git/digest.h"
#include "git/object.h"

namespace breakwater::storm {

// Level 0 stores: no search for anything, and the entry's size follows from the content's alone.
inline constexpr int stored = 0;

// ---- the parts of a pack
inline constexpr size_t pack_header_bytes = 12;
void append_pack_header(std::string& out, uint32_t objects);
// One undeltified entry: its type and size, and the content by zlib at `level`, 0 to 9.
void append_pack_entry(std::string& out, ObjectType type, std::string_view content, int level = stored);
size_t stored_entry_bytes(size_t content_bytes) noexcept;  // what append_pack_entry() appends at level 0
// The content as a zlib stream (RFC 1950); of stored blocks at level 0.
void append_zlib(std::string& out, std::string_view content, int level);
// The content of an entry that was stored; the entry begins at `entry[0]` and is whole.
std::string stored_entry_content(std::string_view entry);

// ---- a pack whose entries come one after another
class PackWriter {
 public:
  // Exactly `objects` calls of add() follow, and then one of finish().
  PackWriter(std::string& out, uint32_t objects, HashKind kind = HashKind::sha1, int level = stored);
  PackWriter(const PackWriter&) = delete;
  PackWriter& operator=(const PackWriter&) = delete;

  void add(ObjectType type, std::string_view content);
  void add(const Object& object) { add(object.type, object.content); }
  // Where the next entry will begin, counted from the pack's first byte.
  uint64_t offset() const noexcept { return offset_; }
  // The entry that began at `base_offset` is the base of this one, by an offset delta that gives `content`:
  // what the two have in common at their beginning is copied, the rest inserted.
  void add_delta(uint64_t base_offset, std::string_view base, std::string_view content);
  // The trailing hash; it is also returned.
  ObjectId finish();

 private:
  void appended_since(size_t before) noexcept;

  std::string& out_;
  Digest digest_;
  int level_;
  uint32_t left_;
  uint64_t offset_ = 0;
};

}  // namespace breakwater::storm
