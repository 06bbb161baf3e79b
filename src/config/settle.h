// What a pool gets from elsewhere, once the whole file is known: from [timeouts], from its kind, and from
// those of its own keys that bound each other.
#pragma once

#include "config/draft.h"

namespace breakwater::config {

// Fills in every pool, and reports keys of one that contradict each other.
void settle_pools(Draft& draft);

}  // namespace breakwater::config
