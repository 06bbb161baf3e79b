// Reports that are read to be compared: one that is read is written and read again as it was, and everything
// can be made of it.
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "report/compare.h"
#include "report/compare_page.h"
#include "report/compare_text.h"
#include "report/json.h"
#include "report/read_json.h"

using namespace breakwater::storm;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::expected<Report, std::string> report = read_json_report(text);
  if (!report) {
    BW_ASSERT(!report.error().empty());
    return 0;
  }
  const std::string written = json_report(*report);
  const std::expected<Report, std::string> again = read_json_report(written);
  BW_ASSERT(again.has_value());
  BW_ASSERT(json_report(*again) == written);
  const Comparison comparison = compare({"a", *report}, {"b", *again}, {.resamples = 3});
  BW_ASSERT(comparison.count(Verdict::better) + comparison.count(Verdict::worse) == 0);
  BW_ASSERT(!compare_text(comparison).empty() && !compare_page(comparison).empty());
  return 0;
}
