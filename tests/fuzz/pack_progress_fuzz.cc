// pack_progress: however the bytes are cut it says the same; what was let pass, with the end that it gives to
// an open line, is the opening and whole packets of progress; another server that says the same can go on,
// one that differs in what the client has can't.
#include <algorithm>
#include <string>

#include "base/assert.h"
#include "wire/pack_progress.h"
#include "wire/pkt_line.h"

using namespace breakwater::wire;
using Stage = PackProgress::Stage;

namespace {

struct Result {
  Stage stage;
  PackOpening opening;
  std::string passed;
  std::optional<size_t> end;
};

Result run(UploadPackAnswer answer, std::string_view bytes, size_t cut, const PackOpening& said = {}) {
  static char room[70'000];
  PackProgress progress;
  progress.start(answer, said);
  Result result;
  while (!bytes.empty() && progress.follows()) {
    const std::string_view piece = bytes.substr(0, cut);
    result.passed += piece.substr(0, progress.look(piece));
    bytes.remove_prefix(piece.size());
  }
  result.stage = progress.stage();
  result.opening = progress.opening();
  result.end = progress.end_open_line(room);
  if (result.end) result.passed.append(room, *result.end);
  return result;
}

void check(UploadPackAnswer answer, std::string_view bytes) {
  const Result whole = run(answer, bytes, bytes.size());
  for (const size_t cut : {size_t{1}, size_t{3}, size_t{5}}) {
    const Result result = run(answer, bytes, cut);
    BW_ASSERT(result.stage == whole.stage);
    BW_ASSERT(result.opening.bytes == whole.opening.bytes && result.opening.hash == whole.opening.hash);
    const bool may_end = whole.stage != Stage::beyond;
    BW_ASSERT(may_end || !result.end);  // none either for digits that are none
    if (!result.end || !result.opening.whole) continue;
    std::string_view lines = std::string_view(result.passed).substr(result.opening.bytes);
    while (!lines.empty()) {
      const PktLine line = read_pkt_line(lines);
      BW_ASSERT(line.kind == PktLine::Kind::data && (line.payload[0] == '\2' || line.payload == "\1"));
      lines.remove_prefix(line.bytes);
    }
  }
  // One that says the same, and one that says something else in what the client has.
  BW_ASSERT(run(answer, bytes, 4, whole.opening).stage == whole.stage);
  if (whole.opening.bytes == 0) return;
  std::string other(bytes);
  other[whole.opening.bytes / 2] ^= 1;
  BW_ASSERT(run(answer, other, 4, whole.opening).stage == Stage::differs);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  for (const UploadPackAnswer answer : {UploadPackAnswer::sideband, UploadPackAnswer::v2})
    check(answer, bytes);
  return 0;
}
