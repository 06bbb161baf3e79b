// How many client connections the descriptors of this process are enough for.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"

namespace breakwater::app {

// Takes as many descriptors as the hard limit allows: both ends of every connection and the pipes need some.
// Returns how many there may be now; as good as infinite if that can't be known.
uint64_t raise_descriptor_limit();

// Connections per core that so many descriptors allow, beside pipes, pooled connections and a reserve: at
// most those that are configured.
uint32_t connections_that_fit(const config::Limits& limits, uint32_t cores, uint64_t descriptors);

// A sentence, with cause and cure, if that is less than half of those that are configured; otherwise empty:
// so much less is noticed by nobody before it is too late.
std::string few_connections_warning(const config::Limits& limits, uint32_t cores, uint64_t descriptors);

}  // namespace breakwater::app
