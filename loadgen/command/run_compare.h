// Compares two reports, from their files to a verdict on standard output.
#pragma once

#include "command/command_line.h"

namespace breakwater::storm {

// The exit status: 0, or 1 if B is worse and that was asked for, or the page could not be written to its end;
// 2 if they can't be compared, or the page can't be opened.
int run_compare(const CompareAsked& asked);

}  // namespace breakwater::storm
