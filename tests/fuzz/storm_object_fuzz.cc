// Objects that somebody pushed: any bytes of any type name only what stands in them.
#include <string_view>

#include "base/assert.h"
#include "git/object.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view content(reinterpret_cast<const char*>(data + 1), size - 1);
  const auto type = static_cast<ObjectType>(1 + data[0] % 4);
  const HashKind kind = (data[0] & 4) != 0 ? HashKind::sha256 : HashKind::sha1;
  const auto links = links_of(type, content, kind);
  if (!links) return 0;
  for (const Link& link : *links) {
    const std::string_view raw(reinterpret_cast<const char*>(link.id.raw.data()), link.id.size());
    BW_ASSERT(link.id.kind == kind);
    const bool in_hex = type != ObjectType::tree;
    BW_ASSERT(content.find(in_hex ? std::string_view(link.id.hex()) : raw) != std::string_view::npos);
  }
  return 0;
}
