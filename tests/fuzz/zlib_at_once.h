// What zlib makes of compressed bytes when it has all of them at once: what readers that get them in pieces
// are compared with.
#pragma once

#include <zlib.h>

#include <string>
#include <string_view>

#include "base/assert.h"

namespace breakwater::fuzz {

// More of a payload is not asked for.
constexpr size_t payload_max = 1 << 20;

struct Inflated {
  std::string payload;
  bool whole = false;  // the stream's end was there
  bool failed = false;
  size_t left = 0;  // bytes behind the stream's end
};

// `window_bits` as of inflateInit2: it says which formats are taken.
inline Inflated inflate_at_once(std::string_view compressed, int window_bits) {
  static std::string room(payload_max, '\0');
  z_stream stream{};
  BW_ASSERT(inflateInit2(&stream, window_bits) == Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(room.data());
  stream.avail_out = static_cast<uInt>(room.size());
  const int status = inflate(&stream, Z_NO_FLUSH);
  Inflated inflated{.payload = room.substr(0, room.size() - stream.avail_out),
                    .whole = status == Z_STREAM_END,
                    .failed = status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR,
                    .left = stream.avail_in};
  inflateEnd(&stream);
  return inflated;
}

}  // namespace breakwater::fuzz
