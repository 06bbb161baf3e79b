// Chunked bodies: any cut of the same bytes gives the same payload, the same end and the same verdict.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/http_body.h"

using namespace breakwater::wire;

namespace {

struct Verdict {
  std::string payload;
  std::string trailers;
  size_t used = 0;
  bool done = false;
  bool failed = false;
};

Verdict walk(std::string_view wire, size_t cut) {
  Verdict verdict;
  BodyReader reader;
  reader.start({BodyKind::chunked, 0});
  reader.watch_tail();
  while (verdict.used < wire.size() && !reader.done() && reader.fault() == Fault::none) {
    std::string piece(wire.substr(verdict.used, cut));
    std::span<char> raw(piece);
    while (!raw.empty() && !reader.done() && reader.fault() == Fault::none) {
      Pieces pieces;
      const size_t used = reader.walk(raw, pieces);
      size_t bytes = 0;
      for (size_t index = 0; index < pieces.count; index++) {
        bytes += pieces.piece[index].bytes;
        verdict.payload.append(pieces.piece[index].data, pieces.piece[index].bytes);
      }
      BW_ASSERT(bytes == pieces.bytes && used <= raw.size());
      raw = raw.subspan(used);
      verdict.used += used;
    }
  }
  verdict.done = reader.done();
  verdict.failed = reader.fault() != Fault::none;
  BW_ASSERT(reader.payload_bytes() == verdict.payload.size());
  BW_ASSERT(reader.tail() == verdict.payload.substr(verdict.payload.size() - reader.tail().size()));
  BW_ASSERT(reader.tail().size() == std::min<size_t>(verdict.payload.size(), 4));
  if (verdict.done) verdict.trailers = reader.trailers();
  return verdict;
}

// A guess at a chunk line never goes beyond what is there, and walk() takes exactly that, without payload.
void guess_line(std::string_view wire) {
  const size_t line = large_chunk_line(wire);
  BW_ASSERT(line <= wire.size());
  if (line == 0 || wire.starts_with("\r\n")) return;
  std::string bytes(wire.substr(0, line));
  BodyReader reader;
  reader.start({BodyKind::chunked, 0});
  Pieces pieces;
  BW_ASSERT(reader.walk(bytes, pieces) == line && pieces.count == 0 && reader.opaque() >= 4096);
}

// What may pass with its framing as it is: walk() must read the same bytes to the same payload and end.
void vet(std::string_view wire, size_t cut, bool watch_tail) {
  BodyReader reader;
  reader.start({BodyKind::chunked, 0});
  if (watch_tail) reader.watch_tail();
  size_t used = 0;
  while (used < wire.size() && reader.fault() == Fault::none && !reader.done()) {
    if (cut == 5 && reader.opaque() > 0) {
      const size_t passes =
          reader.opaque() < wire.size() - used ? static_cast<size_t>(reader.opaque()) : wire.size() - used;
      reader.skip(passes);
      used += passes;
      continue;
    }
    const size_t passes = reader.vet(wire.substr(used, cut));
    if (passes == 0) break;
    used += passes;
  }
  const Verdict walked = walk(wire.substr(0, used), used == 0 ? 1 : used);
  BW_ASSERT(!walked.failed && walked.used == used && walked.done == reader.done());
  BW_ASSERT(walked.payload.size() == reader.payload_bytes());
  // Between chunks the last bytes were seen, however much of the chunks was not.
  if (watch_tail && reader.left_of_chunk() == 0) {
    BW_ASSERT(walked.payload.ends_with(reader.tail()));
    BW_ASSERT(reader.tail().size() == std::min<size_t>(walked.payload.size(), 4));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view wire(reinterpret_cast<const char*>(data), size);
  const Verdict whole = walk(wire, size == 0 ? 1 : size);
  for (const size_t cut : {size_t{1}, size_t{3}, size_t{17}}) {
    const Verdict pieces = walk(wire, cut);
    BW_ASSERT(pieces.done == whole.done && pieces.failed == whole.failed);
    if (!whole.failed) BW_ASSERT(pieces.payload == whole.payload && pieces.used == whole.used);
    if (whole.done) BW_ASSERT(pieces.trailers == whole.trailers);
  }
  for (const size_t cut : {size_t{5}, size_t{16}, size_t{64}, size + 1}) {
    vet(wire, cut, false);
    vet(wire, cut, true);
  }
  guess_line(wire);
  BW_ASSERT(whole.trailers.empty() || whole.trailers.ends_with("\r\n"));
  return 0;
}
