// A second on the clocks of the cores and of storms, which count nanoseconds.
#pragma once

#include <cstdint>

namespace breakwater {

inline constexpr int64_t second_ns = 1'000'000'000;

}  // namespace breakwater
