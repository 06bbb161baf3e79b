// Files named by the trees of a pack: whatever comes, there are no more than were asked for, each once.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "git/tree_blobs.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t most = 20;
  const std::string_view pack(reinterpret_cast<const char*>(data), size);
  for (const HashKind kind : {HashKind::sha1, HashKind::sha256}) {
    std::vector<ObjectId> blobs = blobs_of_trees(pack, kind, most);
    BW_ASSERT(blobs.size() <= most);
    std::ranges::sort(blobs);
    BW_ASSERT(std::ranges::adjacent_find(blobs) == blobs.end());
  }
  return 0;
}
