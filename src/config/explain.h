// What a configuration comes to, for people: what `breakwater check` prints of a file that is good.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"
#include "config/origins.h"

namespace breakwater::config {

// A line for each pool whose `kind` the file names: what the word set, and which keys of the file won over
// it.
std::string explain_kinds(const Config& config, const Origins& origins, std::string_view file_name);

// A table of every wait: its name, its value, where that came from, what is waited for, and what the client
// sees when it is over.
std::string explain_timeouts(const Config& config, const Origins& origins, std::string_view file_name);

}  // namespace breakwater::config
