// Makes the plan of a storm: every operation's time, kind, repository and runner, from the scenario and its
// seed alone. Pure, and the same on every machine.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "plan/scenario.h"

namespace breakwater::storm {

// 16 bytes of plan and some more while it runs, for each.
inline constexpr size_t arrivals_max = 5'000'000;

// In the order of time; what follows a push comes right behind it, in the order of its own times. In a closed
// loop only each runner's first operation: the rest has no times of its own. A sentence, if there would be
// more than arrivals_max, or none.
//
// Operations are chosen by dice with their weights. Runners take turns, in an order of the dice's, so that
// one has its next operation as late as can be; a push and the fetches behind it are of one repository, and
// each of another runner.
std::expected<std::vector<Arrival>, std::string> plan_arrivals(const Scenario& scenario);

}  // namespace breakwater::storm
