// HdrHistogram's interval log (.hlog), version 1.3: the latencies of each second, as its HistogramLogAnalyzer
// and other plotters read it; of all operations together, and if there are several, of each with its tag. The
// histograms are in microseconds, the column of maxima in milliseconds. The seconds' latencies are at
// most 3.2 % too high (measure/compact_latencies.h). Pure.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

std::string interval_log(const Report& report);

}  // namespace breakwater::storm
