// `stormgen origin` as one function.
#pragma once

namespace breakwater::storm::origin {

// argv[0] is the name of the command, and is not looked at. Returns the status to exit with.
int run_origin(int argc, const char* const* argv);

}  // namespace breakwater::storm::origin
