// Compressed answers: in pieces of any size the same payload comes out as from zlib at once, and the same
// verdict; nothing comes out behind the end.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "client/inflater.h"
#include "zlib_at_once.h"

using namespace breakwater::storm;
using breakwater::fuzz::Inflated;
using breakwater::fuzz::payload_max;

namespace {

Inflated in_pieces(std::string_view compressed, size_t cut, size_t room_bytes) {
  Inflated made;
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
  const Inflated all = breakwater::fuzz::inflate_at_once(compressed, 15 + 32);
  if (all.payload.size() == payload_max) return 0;
  for (const auto& [cut, room] : {std::pair<size_t, size_t>{size + 1, 65536}, {1, 100}, {7, 1}}) {
    if (room == 1 && all.payload.size() > 5000) continue;
    const Inflated made = in_pieces(compressed, cut, room);
    BW_ASSERT(made.whole == all.whole && made.failed == all.failed);
    // What zlib says of bytes that are wrong depends on how many it had.
    if (!all.failed) BW_ASSERT(made.payload == all.payload);
  }
  return 0;
}
