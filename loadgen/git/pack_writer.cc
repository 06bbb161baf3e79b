#include "git/pack_writer.h"

#include <zlib.h>

#include <algorithm>

#include "base/assert.h"
#include "git/object.h"

namespace breakwater::storm {

namespace {

constexpr size_t stored_block_bytes_max = 65535;
constexpr size_t stored_block_head_bytes = 5;
constexpr size_t zlib_head_bytes = 2, zlib_check_bytes = 4;
// An instruction of a delta inserts, or copies, so many bytes at most (gitformat-pack(5)).
constexpr size_t insert_bytes_max = 127, copy_bytes_max = 0xffff;

void append_be32(std::string& out, uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}

// Three bits of type and the size: four bits, then seven and seven.
void append_entry_head(std::string& out, int type, size_t bytes) {
  uint8_t byte = static_cast<uint8_t>(type << 4 | (bytes & 15));
  for (bytes >>= 4; bytes != 0; bytes >>= 7) {
    out += static_cast<char>(byte | 0x80);
    byte = bytes & 0x7f;
  }
  out += static_cast<char>(byte);
}

size_t entry_head_bytes(size_t bytes) noexcept {
  size_t head = 1;
  for (bytes >>= 4; bytes != 0; bytes >>= 7) head++;
  return head;
}

void append_stored(std::string& out, std::string_view content) {
  out += "\x78\x01";
  std::string_view rest = content;
  do {
    const std::string_view block = rest.substr(0, stored_block_bytes_max);
    rest.remove_prefix(block.size());
    const auto bytes = static_cast<uint16_t>(block.size());
    const auto inverted = static_cast<uint16_t>(~bytes);
    out += static_cast<char>(rest.empty() ? 1 : 0);
    for (const uint16_t value : {bytes, inverted}) {
      out += static_cast<char>(value);
      out += static_cast<char>(value >> 8);
    }
    out += block;
  } while (!rest.empty());
  const uLong check = adler32_z(1, reinterpret_cast<const Bytef*>(content.data()), content.size());
  append_be32(out, static_cast<uint32_t>(check));
}

void append_delta_size(std::string& out, size_t bytes) {
  for (; bytes >= 0x80; bytes >>= 7) out += static_cast<char>(bytes | 0x80);
  out += static_cast<char>(bytes);
}

void append_copy(std::string& out, size_t from, size_t bytes) {
  out += '\xb7';  // three bytes of offset and two of size follow
  for (int shift = 0; shift < 24; shift += 8) out += static_cast<char>(from >> shift);
  for (int shift = 0; shift < 16; shift += 8) out += static_cast<char>(bytes >> shift);
}

}  // namespace

void append_pack_header(std::string& out, uint32_t objects) {
  out += "PACK";
  append_be32(out, 2);
  append_be32(out, objects);
}

void append_zlib(std::string& out, std::string_view content, int level) {
  BW_ASSERT(level >= 0 && level <= 9);
  if (level == stored) return append_stored(out, content);
  uLongf bytes = compressBound(content.size());
  const size_t before = out.size();
  out.resize(before + bytes);
  const int status = compress2(reinterpret_cast<Bytef*>(out.data() + before), &bytes,
                               reinterpret_cast<const Bytef*>(content.data()), content.size(), level);
  BW_ASSERT(status == Z_OK);
  out.resize(before + bytes);
}

void append_pack_entry(std::string& out, ObjectType type, std::string_view content, int level) {
  append_entry_head(out, static_cast<int>(type), content.size());
  append_zlib(out, content, level);
}

size_t stored_entry_bytes(size_t content_bytes) noexcept {
  const size_t blocks =
      std::max<size_t>((content_bytes + stored_block_bytes_max - 1) / stored_block_bytes_max, 1);
  return entry_head_bytes(content_bytes) + zlib_head_bytes + blocks * stored_block_head_bytes +
         content_bytes + zlib_check_bytes;
}

std::string stored_entry_content(std::string_view entry) {
  size_t at = 0, bytes = static_cast<uint8_t>(entry[0]) & 15;
  for (int shift = 4; (static_cast<uint8_t>(entry[at]) & 0x80) != 0; shift += 7)
    bytes |= static_cast<size_t>(static_cast<uint8_t>(entry[++at]) & 0x7f) << shift;
  at += 1 + zlib_head_bytes;
  std::string content;
  content.reserve(bytes);
  while (content.size() < bytes) {
    at += stored_block_head_bytes;
    const size_t block = std::min(bytes - content.size(), stored_block_bytes_max);
    BW_ASSERT(at + block <= entry.size());
    content += entry.substr(at, block);
    at += block;
  }
  return content;
}

PackWriter::PackWriter(std::string& out, uint32_t objects, HashKind kind, int level)
    : out_(out), digest_(kind), level_(level), left_(objects) {
  const size_t before = out_.size();
  append_pack_header(out_, objects);
  appended_since(before);
}

void PackWriter::add(ObjectType type, std::string_view content) {
  BW_ASSERT(left_ > 0);
  left_--;
  const size_t before = out_.size();
  append_pack_entry(out_, type, content, level_);
  appended_since(before);
}

void PackWriter::add_delta(uint64_t base_offset, std::string_view base, std::string_view content) {
  BW_ASSERT(left_ > 0 && base_offset < offset_);
  left_--;
  const size_t common = static_cast<size_t>(std::ranges::mismatch(base, content).in1 - base.begin());
  std::string delta;
  append_delta_size(delta, base.size());
  append_delta_size(delta, content.size());
  BW_ASSERT(common < size_t{1} << 24);  // what append_copy() can say
  for (size_t at = 0; at < common; at += copy_bytes_max)
    append_copy(delta, at, std::min(common - at, copy_bytes_max));
  for (size_t at = common; at < content.size(); at += insert_bytes_max) {
    const std::string_view piece = content.substr(at, insert_bytes_max);
    delta += static_cast<char>(piece.size());
    delta += piece;
  }
  const size_t before = out_.size();
  append_entry_head(out_, offset_delta, delta.size());
  // How far back: seven bits a byte, the most significant first, and each but the last one less.
  std::string distance(1, static_cast<char>((offset_ - base_offset) & 0x7f));
  for (uint64_t rest = (offset_ - base_offset) >> 7; rest != 0; rest >>= 7)
    distance.insert(0, 1, static_cast<char>(0x80 | (--rest & 0x7f)));
  out_ += distance;
  append_zlib(out_, delta, level_);
  appended_since(before);
}

ObjectId PackWriter::finish() {
  BW_ASSERT(left_ == 0);
  const ObjectId hash = digest_.finish();
  out_.append(reinterpret_cast<const char*>(hash.raw.data()), hash.size());
  return hash;
}

void PackWriter::appended_since(size_t before) noexcept {
  digest_.add(std::string_view(out_).substr(before));
  offset_ += out_.size() - before;
}

}  // namespace breakwater::storm
