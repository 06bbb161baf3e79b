// Configuration text: no input crashes the reader, and every problem can be shown.
#include <string_view>

#include "base/assert.h"
#include "config/parse.h"
#include "config/units.h"

using namespace breakwater::config;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::variant<Config, Problems> parsed = parse(text);
  if (const Problems* problems = std::get_if<Problems>(&parsed)) {
    BW_ASSERT(!problems->empty());
    BW_ASSERT(!render(*problems, "fuzz.toml", text).empty());
  } else {
    BW_ASSERT(!std::get<Config>(parsed).listens.empty());
  }
  (void)parse_duration(text);
  (void)parse_size(text);
  return 0;
}
