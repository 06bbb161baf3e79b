// Student's t distribution, for intervals around what few measurements say. Pure.
#pragma once

#include <cstdint>

namespace breakwater::storm {

// What is exceeded with the probability `tail` (less than a half), by `freedom` degrees of freedom (at least
// 1). To a few thousandths from 7 degrees up, as the series of Cornish and Fisher gives it.
double student_quantile(double tail, uint32_t freedom);

}  // namespace breakwater::storm
