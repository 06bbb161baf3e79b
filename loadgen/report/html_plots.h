// The plots of a report's page, as HTML. Pure.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

// Operations, bytes and failures a second, latencies over time, and how latencies are distributed. Empty:
// there was no second.
std::string plots_html(const Report& report);

}  // namespace breakwater::storm
