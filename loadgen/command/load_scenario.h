// A scenario from its file, and what that names: the password's file, and the authorities'.
#pragma once

#include <expected>
#include <string>

#include "plan/scenario.h"

namespace breakwater::storm {

// `url`: a server's instead of the file's; empty: none. Otherwise everything that is wrong, in lines, as an
// operator reads it.
std::expected<Scenario, std::string> load_scenario(const std::string& path, const std::string& url);

}  // namespace breakwater::storm
