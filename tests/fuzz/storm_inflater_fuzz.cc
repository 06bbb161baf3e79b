// Compressed answers: in pieces of any size the same payload comes out as from zlib at once, and the same
// verdict; nothing comes out behind the end.
#include <zlib.h>

#include <string>
#include <string_view>

#include "base/assert.h"
#include "client/inflater.h"

using namespace breakwater::storm;

namespace {

constexpr size_t payload_max = 1 << 20;

struct Made {
  std::string payload;
  bool whole = false;
  bool failed = false;
};

Made at_once(std::string_view compressed) {
  Made made;
  static std::string room(payload_max, '\0');
  z_stream stream{};
  BW_ASSERT(inflateInit2(&stream, 15 + 32) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = static_cast<uInt>(room.size());
  const int status = inflate(&stream, Z_NO_FLUSH);
  made.payload.assign(room, 0, room.size() - stream.avail_out);
  made.whole = status == Z_STREAM_END;
  made.failed = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR;
  inflateEnd(&stream);
  return made;
}

Made in_pieces(std::string_view compressed, size_t cut, size_t room_bytes) {
  Made made;
  const auto inflater = Inflater::of("gzip");
  BW_ASSERT(inflater != nullptr && inflater->is_usable());
  std::string room(room_bytes, '\0');
  while (!compressed.empty() && made.payload.size() < payload_max) {
    const std::string piece(compressed.substr(0, cut));  // so that nothing outlives it
    compressed.remove_prefix(piece.size());
    std::string_view left = piece;
    while (made.payload.size() < payload_max) {
      const size_t before = left.size();
      const std::string_view out = inflater->next(left, room);
      BW_ASSERT(out.size() <= room.size() && left.size() <= before);
      made.payload += out;
      if (out.empty()) break;
    }
  }
  made.whole = inflater->is_whole();
  made.failed = inflater->failed();
  return made;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 4096) return 0;
  const std::string_view compressed(reinterpret_cast<const char*>(data), size);
  const Made all = at_once(compressed);
  if (all.payload.size() == payload_max) return 0;
  for (const auto& [cut, room] : {std::pair<size_t, size_t>{size + 1, 65536}, {1, 100}, {7, 1}}) {
    if (room == 1 && all.payload.size() > 5000) continue;
    const Made made = in_pieces(compressed, cut, room);
    BW_ASSERT(made.whole == all.whole && made.failed == all.failed);
    // What zlib says of bytes that are wrong depends on how many it had.
    if (!all.failed) BW_ASSERT(made.payload == all.payload);
  }
  return 0;
}
