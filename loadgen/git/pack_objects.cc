#include "git/pack_objects.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/assert.h"
#include "git/object.h"

namespace breakwater::storm {

namespace {

class ObjectReader {
 public:
  ObjectReader() { BW_ASSERT(inflateInit(&stream_) == Z_OK); }
  ~ObjectReader() { inflateEnd(&stream_); }
  ObjectReader(const ObjectReader&) = delete;
  ObjectReader& operator=(const ObjectReader&) = delete;

  // How many bytes of `in` are one stream of zlib's that inflates to `size` bytes; 0: there is none. They go
  // to `content`, unless it is null.
  size_t run(std::string_view in, uint64_t size, std::string* content) {
    inflateReset(&stream_);
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));  // which it does not change
    stream_.avail_in = static_cast<uInt>(in.size());
    int status = Z_OK;
    uint64_t made = 0;
    while (status == Z_OK) {
      stream_.next_out = reinterpret_cast<Bytef*>(room_.data());
      stream_.avail_out = static_cast<uInt>(room_.size());
      status = inflate(&stream_, Z_NO_FLUSH);
      const size_t came = room_.size() - stream_.avail_out;
      made += came;
      if (made > size) return 0;
      if (content != nullptr) content->append(room_.data(), came);
      if (status == Z_OK && came == 0) return 0;
    }
    return status == Z_STREAM_END && made == size ? in.size() - stream_.avail_in : 0;
  }

 private:
  z_stream stream_{};
  std::array<char, 16 * 1024> room_{};
};

// A number of 7 bits a byte, the highest bit saying that more follow; the first byte has some of its own.
std::optional<uint64_t> take_number(std::string_view& from, uint64_t value, unsigned shift) {
  for (;;) {
    if (from.empty() || shift > 60) return std::nullopt;
    const uint8_t byte = static_cast<uint8_t>(from.front());
    from.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if ((byte & 0x80) == 0) return value;
    shift += 7;
  }
}

bool skip_offset(std::string_view& from) {
  for (int i = 0; i < 10 && !from.empty(); ++i) {
    const bool more = (from.front() & 0x80) != 0;
    from.remove_prefix(1);
    if (!more) return true;
  }
  return false;
}

}  // namespace

PackedObject read_packed_object(std::string_view pack, HashKind kind, std::span<const ObjectType> wanted,
                                size_t content_bytes_max) {
  thread_local ObjectReader inflater;
  PackedObject object;
  if (pack.empty()) return object;
  std::string_view rest = pack;
  const uint8_t first = static_cast<uint8_t>(rest.front());
  rest.remove_prefix(1);
  object.type = first >> 4 & 7;
  std::optional<uint64_t> size = first & 15;
  if ((first & 0x80) != 0) size = take_number(rest, *size, 4);
  if (!size) return object;
  if (object.type == offset_delta && !skip_offset(rest)) return object;
  if (object.type == named_delta) {
    if (rest.size() < bytes_of(kind)) return object;
    rest.remove_prefix(bytes_of(kind));
  }
  const bool is_wanted = std::ranges::find(wanted, static_cast<ObjectType>(object.type)) != wanted.end();
  object.has_content = is_wanted && *size <= content_bytes_max;
  object.is_too_large = is_wanted && !object.has_content;
  const size_t bytes = inflater.run(rest, *size, object.has_content ? &object.content : nullptr);
  if (bytes > 0) object.bytes = pack.size() - rest.size() + bytes;
  return object;
}

}  // namespace breakwater::storm
