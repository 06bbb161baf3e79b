// How much another machine than this one may be asked for: nothing, unless it is named, and then no more
// than its owners agreed to.
#pragma once

#include <string>

#include "command/options.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// Empty, or a sentence: `--allow-target` names another machine, comes without a ceiling, or the storm is
// above it at its worst (plan/peak_rate.h). Without `--allow-target` there is nothing to say; then the
// address decides, once it is known (run_storm.cc).
std::string why_not_allowed(const StormOptions& options, const Scenario& scenario);

}  // namespace breakwater::storm
