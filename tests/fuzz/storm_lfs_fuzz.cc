// Answers of LFS servers: what is read out of one is within its bounds, and nothing of it could begin a
// second line in the head of a request.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "git/lfs.h"

using namespace breakwater::storm;

namespace {

bool has_control_bytes(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view answer(reinterpret_cast<const char*>(data), size);
  const auto downloads = read_lfs_batch(answer);
  if (!downloads) {
    BW_ASSERT(!downloads.error().empty());
    return 0;
  }
  BW_ASSERT(downloads->size() <= lfs_objects_max);
  for (const LfsDownload& each : *downloads) {
    BW_ASSERT(!each.object.oid.empty() && !each.href.empty());
    BW_ASSERT(!has_control_bytes(each.href) && each.href.find(' ') == std::string::npos);
    for (const auto& [name, value] : each.header)
      BW_ASSERT(!has_control_bytes(name) && !has_control_bytes(value));
  }
  return 0;
}
