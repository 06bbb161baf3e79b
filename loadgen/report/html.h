// A report as one page of HTML that needs nothing else: the verdict first, then plots over time, the
// percentiles of each operation, failures, and where it was measured. The plots are in html_plots.cc. Pure.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

std::string html_report(const Report& report);

}  // namespace breakwater::storm
