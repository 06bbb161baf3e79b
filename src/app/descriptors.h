// The descriptors of this process: the first three, and how many client connections the others are enough
// for.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"

namespace breakwater::app {

// Whatever was closed of standard input, output and error leads to /dev/null from now on; otherwise the next
// file or socket would be called so, and get what is said. Before anything is opened. False, with errno, if
// that can't be done.
bool open_standard_descriptors() noexcept;

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
