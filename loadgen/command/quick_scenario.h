// A storm of one operation, without a file: from the options of the command line to a Scenario.
#pragma once

#include <string>
#include <string_view>

#include "command/options.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// Empty, and all of `scenario`; or a sentence that says what makes no sense. Reads the password's file.
//
// With --burst so many operations begin within a time. With --fan-out a push is followed by so many of them,
// each by another runner, and of `push` itself by fetches of what was pushed. There are as many runners as
// that takes, unless --runners says otherwise.
std::string make_quick_scenario(const QuickOptions& quick, const StormOptions& options, Verb verb,
                                Scenario& scenario);

}  // namespace breakwater::storm
