// Runs a storm from its plan to its report, in the foreground.
#pragma once

#include "command/command_line.h"

namespace breakwater::storm {

// The exit status: 0 if everything went well, 1 if an operation failed, the run is not valid or a file could
// not be written to its end, 2 if nothing was begun. The first SIGINT, SIGTERM or SIGHUP ends the storm and
// reports what was until then, as a run that is not valid; a second SIGINT or SIGTERM ends at once.
int run_storm(const CommandLine& line);

}  // namespace breakwater::storm
