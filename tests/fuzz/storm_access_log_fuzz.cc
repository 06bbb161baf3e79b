// Any lines as an access log: nothing crashes, and what is taken is in the order of its times, of
// repositories that are there.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "plan/read_access_log.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  AccessLogReader reader;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    reader.add(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const AccessLog log = reader.finish();
  int64_t before_us = 0;
  for (const LoggedOperation& each : log.operations) {
    BW_ASSERT(each.at_us >= before_us);
    BW_ASSERT(each.repository < log.repositories.size());
    before_us = each.at_us;
  }
  BW_ASSERT(log.operations.empty() || log.operations.front().at_us == 0);
  return 0;
}
