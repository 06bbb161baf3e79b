// What the admin listener answers, as `breakwater ctl` shows it: any JSON makes a table, and nothing in it
// steers the terminal.
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "app/ctl_tables.h"
#include "base/assert.h"

using namespace breakwater::app;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 16384) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const nlohmann::json page = nlohmann::json::parse(bytes, nullptr, false);
  if (page.is_discarded()) return 0;
  for (const std::string& text :
       {servers_table(page), operations_table(page), queue_table(page), server_line(page)}) {
    BW_ASSERT(text.ends_with('\n'));
    for (const char byte : text) BW_ASSERT(byte == '\n' || (byte >= ' ' && byte <= '~'));
  }
  return 0;
}
