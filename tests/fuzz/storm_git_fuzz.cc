// Readers of Git servers' answers: whatever comes, in whatever pieces, they say the same, nothing that has a
// complaint is done, and a pack that is called whole has its hash at its end.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "unit/loadgen/git/git_readers.h"

using namespace breakwater::storm;

namespace {

bool has_its_hash(std::string_view pack, HashKind kind) {
  if (!pack.starts_with("PACK") || pack.size() < 12 + bytes_of(kind)) return false;
  Digest digest(kind);
  digest.add(pack.substr(0, pack.size() - bytes_of(kind)));
  const ObjectId hash = digest.finish();
  return pack.ends_with(std::string_view(reinterpret_cast<const char*>(hash.raw.data()), hash.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const char letter = static_cast<char>(data[0]);
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const ObjectId tip = *ObjectId::parse("349575afafa6d1551dd33ec5303157cde1e2f613");
  const Reading whole = read(letter, bytes, 0, tip);
  BW_ASSERT(!whole.done || whole.fault == GitFault::none);
  const bool has_pack = whole.done && std::string_view("arpl").find(letter) == std::string_view::npos;
  BW_ASSERT(!has_pack || has_its_hash(whole.pack, letter == 's' ? HashKind::sha256 : HashKind::sha1));
  BW_ASSERT(whole.text.size() <= Complaint::text_bytes_max || letter == 'l');
  if (whole.fault == GitFault::sideband) return 0;  // of its text only what is there at once is told
  for (const size_t piece : {size_t{1}, size_t{3}, size_t{64}}) {
    const Reading again = read(letter, bytes, piece, tip);
    BW_ASSERT(again.fault == whole.fault && again.text == whole.text);
    if (whole.fault == GitFault::none) BW_ASSERT(again == whole);
  }
  return 0;
}
