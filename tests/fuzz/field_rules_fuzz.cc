// Field rules: the same verdict for every spelling of a name by case and underscore.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/byte_class.h"
#include "wire/field_rules.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view name(reinterpret_cast<const char*>(data), size);
  std::string folded(name);
  for (char& byte : folded) byte = byte == '_' ? '-' : to_lower(byte);
  BW_ASSERT(is_identity(name) == is_identity(folded));
  BW_ASSERT(is_forwarding(name) == is_forwarding(folded));
  BW_ASSERT(is_hop_by_hop(name) == is_hop_by_hop(folded));
  BW_ASSERT(is_forbidden_in_trailer(name) == is_forbidden_in_trailer(folded));
  BW_ASSERT(!is_ambiguous_spelling(folded));
  return 0;
}
