// upload-pack: the end of an answer is the same however the bytes are cut and whichever of them pass unseen,
// and agrees with a plain reading of the pkt-lines. The first line chooses the protocol version.
#include <string_view>

#include "base/assert.h"
#include "wire/pkt_line.h"
#include "wire/upload_pack.h"

using namespace breakwater::wire;

namespace {

bool proven(UploadPackAnswer answer, std::string_view bytes, size_t cut, bool skips) {
  UploadPackEnd end;
  end.start(answer);
  while (!bytes.empty()) {
    if (skips && end.opaque() > 0) {
      const size_t passes = end.opaque() < bytes.size() ? static_cast<size_t>(end.opaque()) : bytes.size();
      end.skip(passes);
      bytes.remove_prefix(passes);
      continue;
    }
    const std::string_view piece = bytes.substr(0, cut);
    end.look(piece);
    bytes.remove_prefix(piece.size());
  }
  return end.proven();
}

bool plainly_proven(UploadPackAnswer answer, std::string_view bytes) {
  bool whole = false;
  bool pack = false;
  bool fatal = false;
  while (!bytes.empty()) {
    const PktLine line = read_pkt_line(bytes);
    if (line.bytes == 0) return false;
    bytes.remove_prefix(line.bytes);
    pack = pack || line.payload.starts_with('\x01');
    const bool is_end = line.kind == PktLine::Kind::flush && (answer == UploadPackAnswer::v2 || pack);
    fatal = fatal || line.payload.starts_with("ERR ") || line.payload.starts_with('\x03');
    whole = is_end || fatal;
  }
  return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const uint8_t version = bytes.starts_with('2') ? 2 : 0;
  bytes.remove_prefix(bytes.size() < 2 ? bytes.size() : 2);
  const UploadPackAsk ask = read_upload_pack_request(version, false, bytes);
  BW_ASSERT(version != 2 || ask.answer != UploadPackAnswer::sideband);
  BW_ASSERT(!read_upload_pack_request(version, true, bytes).pack_is_sure);
  for (const UploadPackAnswer answer : {UploadPackAnswer::sideband, UploadPackAnswer::v2}) {
    const bool whole = plainly_proven(answer, bytes);
    for (const size_t cut : {size_t{1}, size_t{3}, size_t{5}, size_t{1000000}}) {
      BW_ASSERT(proven(answer, bytes, cut, false) == whole);
      BW_ASSERT(proven(answer, bytes, cut, true) == whole);
    }
  }
  BW_ASSERT(!proven(UploadPackAnswer::unprovable, bytes, 7, true));
  return 0;
}
