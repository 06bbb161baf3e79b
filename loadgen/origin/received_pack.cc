#include "origin/received_pack.h"

#include <zlib.h>

#include <cstring>
#include <memory>
#include <unordered_map>

#include "git/digest.h"
#include "git/pack_writer.h"

namespace breakwater::storm::origin {

namespace {

constexpr size_t hash_bytes = 20;
constexpr uint32_t delta_depth_max = 256;  // git makes 50 of them, unless it is told otherwise
constexpr uint8_t offset_delta = 6, reference_delta = 7;

uint32_t read_be32(std::string_view bytes) noexcept {
  uint32_t value = 0;
  for (size_t index = 0; index < 4; index++) value = value << 8 | static_cast<uint8_t>(bytes[index]);
  return value;
}

// Takes bytes off the front of what is left; `broken` once there are too few.
struct Bytes {
  std::string_view left;
  bool broken = false;

  uint8_t take() noexcept {
    if (left.empty()) {
      broken = true;
      return 0;
    }
    const auto byte = static_cast<uint8_t>(left.front());
    left.remove_prefix(1);
    return byte;
  }
  std::string_view take(size_t count) noexcept {
    if (count > left.size()) {
      broken = true;
      return {};
    }
    const std::string_view taken = left.substr(0, count);
    left.remove_prefix(count);
    return taken;
  }
  // Seven bits a byte, the least significant first, behind `bits` that are in `value` already.
  uint64_t take_size(uint64_t value, unsigned bits) noexcept {
    uint8_t byte = 0x80;
    while ((byte & 0x80) != 0 && bits < 57 && !broken) {
      byte = take();
      value |= uint64_t{byte & 0x7fu} << bits;
      bits += 7;
    }
    if ((byte & 0x80) != 0) broken = true;
    return value;
  }
};

// One zlib stream of exactly `bytes`, off the front of `from`.
bool inflate_entry(Bytes& from, size_t bytes, std::string& content) {
  content.resize(bytes);
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return false;
  char beyond = 0;  // inflate() wants room even where nothing comes
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(from.left.data()));
  stream.avail_in = static_cast<uInt>(std::min<size_t>(from.left.size(), UINT32_MAX));
  stream.next_out = reinterpret_cast<Bytef*>(bytes > 0 ? content.data() : &beyond);
  stream.avail_out = static_cast<uInt>(std::max<size_t>(bytes, 1));
  const int status = inflate(&stream, Z_FINISH);
  const bool is_whole = status == Z_STREAM_END && stream.total_out == bytes;
  from.take(stream.total_in);
  inflateEnd(&stream);
  return is_whole;
}

std::optional<std::string> apply_delta(std::string_view base, std::string_view delta, uint64_t& room) {
  Bytes bytes{delta};
  const uint64_t base_bytes = bytes.take_size(0, 0);
  const uint64_t content_bytes = bytes.take_size(0, 0);
  if (bytes.broken || base_bytes != base.size() || content_bytes > room) return std::nullopt;
  room -= content_bytes;
  std::string content;
  content.reserve(content_bytes);
  while (!bytes.left.empty() && !bytes.broken) {
    const uint8_t instruction = bytes.take();
    if ((instruction & 0x80) == 0) {
      if (instruction == 0) return std::nullopt;
      content += bytes.take(instruction);
      continue;
    }
    uint64_t from = 0, count = 0;
    for (unsigned bit = 0; bit < 4; bit++)
      if ((instruction & 1u << bit) != 0) from |= uint64_t{bytes.take()} << (8 * bit);
    for (unsigned bit = 0; bit < 3; bit++)
      if ((instruction & 0x10u << bit) != 0) count |= uint64_t{bytes.take()} << (8 * bit);
    if (count == 0) count = 0x10000;
    if (from > base.size() || count > base.size() - from || count > content_bytes - content.size())
      return std::nullopt;
    content += base.substr(from, count);
  }
  if (bytes.broken || content.size() != content_bytes) return std::nullopt;
  return content;
}

struct Entry {
  uint8_t type = 0;
  uint64_t base_offset = 0;
  ObjectId base_id;
  std::string content;  // or the delta
};

class Reader {
 public:
  Reader(std::string_view pack, const BaseObject& base)
      : all_(pack.substr(0, pack.size() - hash_bytes)), rest_{all_}, base_(base) {}

  std::string read(std::vector<Object>& objects) {
    rest_.take(8);
    const uint32_t count = read_be32(rest_.take(4));
    if (count > received_objects_max) return "too many objects";
    for (uint32_t index = 0; index < count; index++) {
      const std::string why = read_entry(objects);
      if (!why.empty()) return why;
    }
    if (!rest_.left.empty()) return "bytes behind the last object";
    return resolve_later(objects);
  }

 private:
  size_t offset() const noexcept { return all_.size() - rest_.left.size(); }

  std::string read_entry(std::vector<Object>& objects) {
    const uint64_t begin = offset();
    Entry entry;
    const uint8_t first = rest_.take();
    entry.type = first >> 4 & 7;
    const uint64_t bytes = (first & 0x80) != 0 ? rest_.take_size(first & 15, 4) : first & 15;
    if (entry.type == offset_delta) {
      uint64_t back = 0;
      uint8_t byte = rest_.take();
      for (back = byte & 0x7f; (byte & 0x80) != 0 && back < begin && !rest_.broken;
           back = (back + 1) << 7 | (byte & 0x7f))
        byte = rest_.take();
      if (back == 0 || back > begin) return "a delta on nothing";
      entry.base_offset = begin - back;
    } else if (entry.type == reference_delta) {
      const std::string_view id = rest_.take(hash_bytes);
      if (!rest_.broken) std::memcpy(entry.base_id.raw.data(), id.data(), id.size());
    } else if (entry.type < 1 || entry.type > 4) {
      return "an object of no known type";
    }
    if (rest_.broken || bytes > room_) return "an object that is cut or too large";
    room_ -= bytes;
    if (!inflate_entry(rest_, bytes, entry.content)) return "an object that does not inflate";
    if (resolve(begin, entry, objects)) return {};
    if (entry.type == offset_delta || entry.type == reference_delta)
      later_.emplace_back(begin, std::move(entry));
    return {};
  }

  // False: its base is not there yet, or the delta is broken.
  bool resolve(uint64_t begin, Entry& entry, std::vector<Object>& objects) {
    if (entry.type <= 4) {
      keep(begin, make_object(static_cast<ObjectType>(entry.type), std::move(entry.content)), objects);
      return true;
    }
    std::optional<Object> outside;
    const Object* base = nullptr;
    if (entry.type == offset_delta) {
      const auto found = by_offset_.find(entry.base_offset);
      if (found != by_offset_.end()) base = &objects[found->second];
    } else if (const auto found = by_id_.find(entry.base_id); found != by_id_.end()) {
      base = &objects[found->second];
    } else {
      outside = base_(entry.base_id);
      if (outside) base = &*outside;
    }
    if (base == nullptr) return false;
    std::optional<std::string> content = apply_delta(base->content, entry.content, room_);
    if (!content) return false;
    keep(begin, make_object(base->type, std::move(*content)), objects);
    return true;
  }

  void keep(uint64_t begin, Object object, std::vector<Object>& objects) {
    by_offset_[begin] = objects.size();
    by_id_[object.id] = objects.size();
    objects.push_back(std::move(object));
  }

  // Bases may stand behind the deltas that refer to them by name. Each round must get one further.
  std::string resolve_later(std::vector<Object>& objects) {
    for (uint32_t round = 0; !later_.empty(); round++) {
      if (round == delta_depth_max) return "deltas on deltas, too many";
      std::vector<std::pair<uint64_t, Entry>> still;
      for (auto& [begin, entry] : later_) {
        if (!resolve(begin, entry, objects)) still.emplace_back(begin, std::move(entry));
      }
      if (still.size() == later_.size()) return "a delta without its base";
      later_ = std::move(still);
    }
    return {};
  }

  std::string_view all_;
  Bytes rest_;
  const BaseObject& base_;
  uint64_t room_ = unpacked_bytes_max;
  std::unordered_map<uint64_t, size_t> by_offset_;
  std::unordered_map<ObjectId, size_t, ObjectIdHash> by_id_;
  std::vector<std::pair<uint64_t, Entry>> later_;
};

}  // namespace

std::expected<std::vector<Object>, std::string> read_received_pack(std::string_view pack,
                                                                   const BaseObject& base) {
  if (pack.size() < pack_header_bytes + hash_bytes || !pack.starts_with("PACK"))
    return std::unexpected("it is no pack");
  const uint32_t version = read_be32(pack.substr(4));
  if (version != 2 && version != 3) return std::unexpected("a pack of an unknown version");
  Digest digest;
  digest.add(pack.substr(0, pack.size() - hash_bytes));
  const ObjectId hash = digest.finish();
  if (std::memcmp(hash.raw.data(), pack.data() + pack.size() - hash_bytes, hash_bytes) != 0)
    return std::unexpected("the pack's hash is not that of its bytes");
  std::vector<Object> objects;
  const std::string why = Reader(pack, base).read(objects);
  if (!why.empty()) return std::unexpected(why);
  return objects;
}

}  // namespace breakwater::storm::origin
