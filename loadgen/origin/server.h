// The synthetic server as a whole: its repositories, its threads, its listeners, its end.
//
// Memory: about --pack bytes that all repositories share (twice that while it starts), what
// git/synthetic_repository.h says for each, TextCache::bytes_max for lists of refs, some 14 MiB for each
// core's buffers, and what session.h says for each connection.
#pragma once

#include "origin/options.h"

namespace breakwater::storm::origin {

// Serves until SIGTERM or SIGINT. Prints "listening on ADDRESS:PORT" to standard error once it accepts, and
// before it, if there is one, "control on ADDRESS:PORT". Returns the status to exit with.
int serve_synthetic(const Options& options);

}  // namespace breakwater::storm::origin
