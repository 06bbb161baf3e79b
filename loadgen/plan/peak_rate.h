// How many operations a storm may begin within a second, at its worst. Pure.
#pragma once

#include "plan/scenario.h"

namespace breakwater::storm {

// Of all arrivals that may be under way at one time, by what their tables say: the highest rate of a stream
// (of Poisson's its mean), what a burst or a fan-out has within a second of its window. A closed loop has no
// rate; it is bounded by its runners.
double peak_rate(const Scenario& scenario);

}  // namespace breakwater::storm
