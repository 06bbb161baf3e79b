// Bodies of requests as the origin hands them to git: cut anywhere, the same payload and the same verdict; a
// gzipped one gives what zlib makes of the payload that the framing holds.
//
// Input: a byte of flags (1: gzipped, 2: chunked, otherwise of a length), a byte that says how many bytes
// that length is more than what comes, or less (-128 to 127), then what comes behind the head.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "origin/request_body.h"
#include "zlib_at_once.h"

using namespace breakwater;
using breakwater::fuzz::payload_max;
using State = origin::RequestBody::State;

namespace {

struct Read {
  std::string payload;
  State state = State::needs_more;
  size_t rest = 0;  // bytes behind the end
};

Read read(std::string_view wire, const wire::BodyFraming& framing, bool gzipped, size_t cut) {
  Read read;
  std::string piece(wire.substr(0, cut));
  wire.remove_prefix(piece.size());
  origin::RequestBody body(framing, gzipped, piece);
  while (read.payload.size() < payload_max) {
    read.state = body.advance();
    if (read.state == State::ready) {
      BW_ASSERT(!body.pending().empty());
      read.payload += body.pending();
      body.take(body.pending().size());
    } else if (read.state == State::needs_more && !wire.empty()) {
      piece = wire.substr(0, cut);
      wire.remove_prefix(piece.size());
      body.add(piece);
    } else {
      break;
    }
  }
  read.rest = body.rest().size() + wire.size();
  return read;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2 || size > 4096) return 0;
  const bool gzipped = (data[0] & 1) != 0, chunked = (data[0] & 2) != 0;
  const std::string_view wire(reinterpret_cast<const char*>(data) + 2, size - 2);
  const int64_t length =
      std::max<int64_t>(static_cast<int64_t>(wire.size()) + static_cast<int8_t>(data[1]), 0);
  const wire::BodyFraming framing{chunked       ? wire::BodyKind::chunked
                                  : length == 0 ? wire::BodyKind::none
                                                : wire::BodyKind::length,
                                  chunked ? 0 : static_cast<uint64_t>(length)};
  const Read whole = read(wire, framing, gzipped, size);
  if (whole.payload.size() >= payload_max) return 0;
  for (const size_t cut : {size_t{1}, size_t{5}, size_t{100}}) {
    const Read pieces = read(wire, framing, gzipped, cut);
    BW_ASSERT(pieces.state == whole.state);
    if (whole.state == State::malformed) continue;
    BW_ASSERT(pieces.payload == whole.payload && pieces.rest == whole.rest);
  }
  if (!gzipped || framing.kind == wire::BodyKind::none) return 0;
  const Read plain = read(wire, framing, false, size);
  const auto expected = fuzz::inflate_at_once(plain.payload, 15 + 16);
  const bool is_whole = plain.state == State::done && expected.whole && expected.left == 0;
  BW_ASSERT((whole.state == State::done) == is_whole);
  if (is_whole) BW_ASSERT(expected.payload == whole.payload);
  return 0;
}
