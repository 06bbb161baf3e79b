// pack_progress: however the bytes are cut it says the same, and agrees with a plain reading of the
// pkt-lines; what was let pass, with the end that it gives to an open line, is the opening and whole packets
// of progress.
#include <algorithm>
#include <string>

#include "base/assert.h"
#include "wire/pack_progress.h"
#include "wire/pkt_line.h"

using namespace breakwater::wire;
using Stage = PackProgress::Stage;

namespace {

Stage plain_stage(std::string_view opening, std::string_view bytes) {
  if (!bytes.starts_with(opening)) return opening.starts_with(bytes) ? Stage::opening : Stage::beyond;
  bytes.remove_prefix(opening.size());
  while (bytes.size() > 4) {
    const size_t length = pkt_line_length(bytes.substr(0, 4));
    if (length < 5 || length > pkt_line_bytes_max) return Stage::beyond;
    if (bytes[4] == '\3' || bytes[4] == 'E') return Stage::failed;
    if (bytes[4] != '\2' && !(bytes[4] == '\1' && length == 5)) return Stage::beyond;
    bytes.remove_prefix(std::min(length, bytes.size()));
  }
  if (bytes.size() < 4) return Stage::progress;
  const size_t length = pkt_line_length(bytes);
  return length < 5 || length > pkt_line_bytes_max ? Stage::beyond : Stage::progress;
}

void check(UploadPackAnswer answer, std::string_view bytes, size_t cut) {
  static char room[70'000];
  PackProgress progress;
  progress.start(answer);
  const Stage plain = plain_stage(progress.opening(), bytes);
  std::string passed;
  while (!bytes.empty() && progress.follows()) {
    const std::string_view piece = bytes.substr(0, cut);
    passed += piece.substr(0, progress.look(piece));
    bytes.remove_prefix(piece.size());
  }
  BW_ASSERT(progress.stage() == plain);
  const std::optional<size_t> end = progress.end_open_line(room);
  const bool may_end =
      plain == Stage::progress || plain == Stage::failed || (plain == Stage::opening && passed.empty());
  BW_ASSERT(may_end || !end);  // none either for digits that are none
  if (!end || passed.empty()) return;
  passed.append(room, *end);
  std::string_view lines = std::string_view(passed).substr(progress.opening().size());
  while (!lines.empty()) {
    const PktLine line = read_pkt_line(lines);
    BW_ASSERT(line.kind == PktLine::Kind::data && (line.payload[0] == '\2' || line.payload == "\1"));
    lines.remove_prefix(line.bytes);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const UploadPackAnswer answer : {UploadPackAnswer::sideband, UploadPackAnswer::v2}) {
    for (const size_t cut : {size_t{1}, size_t{3}, size_t{5}, size_t{1000000}}) check(answer, bytes, cut);
  }
  return 0;
}
