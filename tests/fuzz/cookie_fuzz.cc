// Cookie fields: the pairs and the ';' between them are the whole field, no byte more or less, and each pair
// holds what was found in it.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "wire/byte_class.h"
#include "wire/cookie.h"

using namespace breakwater::wire;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view field(reinterpret_cast<const char*>(data), size);
  std::string_view rest = field;
  std::string again;
  Cookie cookie;
  size_t left = rest.size();
  while (next_cookie(rest, cookie)) {
    BW_ASSERT(rest.size() < left);  // or it would never end
    left = rest.size();
    again.append(cookie.raw);
    if (again.size() < field.size()) again.push_back(';');
    BW_ASSERT(cookie.raw.find(';') == std::string_view::npos);
    BW_ASSERT(cookie.name.find('=') == std::string_view::npos);
    BW_ASSERT(cookie.raw.find(cookie.name) != std::string_view::npos);
    BW_ASSERT(cookie.raw.find(cookie.value) != std::string_view::npos);
    BW_ASSERT(cookie.name.size() + cookie.value.size() <= cookie.raw.size());
    if (!cookie.name.empty()) BW_ASSERT(cookie.raw.find('=') != std::string_view::npos);
  }
  BW_ASSERT(again == field);
  const std::string_view name = name_of_set_cookie(field);
  BW_ASSERT(name.size() <= field.size());
  if (!field.empty() && all_are(byte_token, field)) {
    // A name of ours is found by exactly its bytes.
    std::string_view one = again.insert(0, "a=b; ").append("=x");
    bool found = false;
    while (next_cookie(one, cookie)) found = found || (cookie.name == field && cookie.value == "x");
    BW_ASSERT(found);
  }
  return 0;
}
