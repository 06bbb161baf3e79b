// A comparison as one page of HTML that needs nothing else: the verdict, then each figure with its interval
// as a picture. Pure.
#pragma once

#include <string>

#include "report/compare.h"

namespace breakwater::storm {

std::string compare_page(const Comparison& comparison);

}  // namespace breakwater::storm
