// A storm before it begins, for people: what `check` and `--dry-run` say of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "plan/scenario.h"

namespace breakwater::storm {

// One line: how many operations, of how many runners, how fast at most, and where.
std::string plan_in_a_line(const Scenario& scenario, const std::vector<Arrival>& arrivals);

// How many there are of each operation, when they begin, and the first ones.
std::string plan_text(const Scenario& scenario, const std::vector<Arrival>& arrivals);

}  // namespace breakwater::storm
