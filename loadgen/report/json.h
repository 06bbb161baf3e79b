// A report as JSON, for programs and for comparisons. docs/storm-reports.md describes every field; what
// changes the meaning of one changes `schema`.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

inline constexpr int json_schema = 1;

std::string json_report(const Report& report);

}  // namespace breakwater::storm
