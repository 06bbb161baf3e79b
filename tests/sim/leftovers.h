// What a core must not have once nobody is there any more: connections, requests, buffers and pipes in use.
#pragma once

#include "core/core.h"

namespace breakwater::sim {

// A violation (verdict.h) if there is any.
void check_leftovers(Core& core, const Stats& stats);

}  // namespace breakwater::sim
