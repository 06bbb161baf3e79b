// A percentile distribution as text (.hgrm), as HdrHistogram's outputPercentileDistribution writes it and its
// plotter reads it (hdrhistogram.github.io/HdrHistogram/plotFiles.html). In milliseconds. Pure.
#pragma once

#include <string>

#include "measure/counts.h"

namespace breakwater::storm {

std::string percentile_distribution(const Latencies& latencies);

}  // namespace breakwater::storm
