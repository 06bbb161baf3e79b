// Server: the running program. Makes a thread with a Core for each CPU, listeners on each, the log writer and
// the admin listener, and takes the process through its life: start, serve, drain, stop.
//
// Everything that can fail at start-up fails before the first connection is accepted, as one sentence.
#pragma once

#include <string>

#include "config/config.h"

namespace breakwater::app {

// Runs until SIGTERM or SIGINT has been obeyed. Returns the exit status; a failed start has printed why on
// stderr.
int run_server(const config::Config& config);

// The CPUs this process may run on.
uint32_t allowed_cpus();

}  // namespace breakwater::app
