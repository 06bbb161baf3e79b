// The results as a few lines of text for a terminal: whether they may be believed first, then each operation,
// what failed and how, and what the generator took. Pure.
#pragma once

#include <string>

#include "report/report.h"

namespace breakwater::storm {

std::string summary(const Report& report);

// "1.2 ms", "3.45 s"; "12.3 MB", "1.20 GB" (decimal).
std::string time_text(uint64_t us);
std::string bytes_text(uint64_t bytes);

// One line while it goes on: "  12 s: 240 begun, 236 ended, 0 failed, 1.20 GB"; without the bytes where
// none were counted.
std::string progress_line(const Progress& progress, double elapsed_seconds);

}  // namespace breakwater::storm
