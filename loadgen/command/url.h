// A repository's URL, as Git takes it, for a target: "https://host:8443/team/app.git". Pure.
#pragma once

#include <string>
#include <string_view>

#include "plan/scenario.h"

namespace breakwater::storm {

// Scheme, host, port and one repository of `target`. Otherwise a sentence; credentials have no place in it,
// where every list of processes shows them.
std::string read_url(std::string_view url, Target& target);

// "50/s", "3000/h", "120/m", "50": a second. 0: it is none.
double read_rate(std::string_view text);

}  // namespace breakwater::storm
