// Reads a report that json.h wrote, of this schema: strictly, so that a comparison never goes on with half of
// one. Fields that are missing or of another type are refused, and keys that come twice; fields that are
// unknown are passed over, as a later version of the same schema may have more. Pure.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

#include "report/report.h"

namespace breakwater::storm {

// The longest text that is read; a report of 16 operations and two hours has a tenth of it.
inline constexpr size_t report_bytes_max = 64 * 1024 * 1024;
inline constexpr size_t report_operations_max = 1000;
inline constexpr size_t report_depth_max = 12;

// Otherwise a sentence: "operations.clone.latency.p99_us is missing".
std::expected<Report, std::string> read_json_report(std::string_view text);

}  // namespace breakwater::storm
