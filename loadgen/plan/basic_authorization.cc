#include "plan/basic_authorization.h"

#include <algorithm>
#include <cstdint>

namespace breakwater::storm {

namespace {

std::string base64(std::string_view bytes) {
  static constexpr char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t three = 0;
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    for (size_t j = 0; j < 3; ++j)
      three = three << 8 | (j < count ? static_cast<uint8_t>(bytes[i + j]) : uint32_t{0});
    for (size_t j = 0; j < 4; ++j) text += j <= count ? letters[three >> (18 - 6 * j) & 63] : '=';
  }
  return text;
}

}  // namespace

std::string basic_authorization(std::string_view user, std::string_view secret) {
  if (user.empty()) return {};
  std::string both(user);
  both += ':';
  both += secret;
  return "Basic " + base64(both);
}

}  // namespace breakwater::storm
