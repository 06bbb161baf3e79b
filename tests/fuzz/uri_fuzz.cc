// URIs: decoding never grows, redaction stays within its room and hides what it must.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/uri.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::array<char, 512> room;
  const std::optional<std::string_view> decoded = percent_decode(text, room);
  if (decoded) BW_ASSERT(decoded->size() <= text.size() && decoded->find('\0') == std::string_view::npos);
  std::array<char, 64> small;
  BW_ASSERT(redact_target(text, small).size() <= small.size());
  const PathQuery parts = split_query(text);
  BW_ASSERT(parts.path.size() + parts.query.size() <= text.size());
  (void)query_value(parts.query, "service");
  if (is_valid_authority(text)) BW_ASSERT(text.find_first_of(" /@\r\n") == std::string_view::npos);
  std::array<char, 4096> large;
  const std::string target = "/x?token=canary5eb1&" + std::string(text.substr(0, 1000));
  BW_ASSERT(redact_target(target, large).find("canary5eb1") == std::string_view::npos ||
            text.find("canary5eb1") != std::string_view::npos);
  return 0;
}
