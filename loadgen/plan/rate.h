// How many a second, as people write it: "50/s", "120/m", "3000/h". Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace breakwater::storm {

inline constexpr double rate_max = 1e6;

// A second. nullopt for anything else, also for a number without its unit, and for more than rate_max.
std::optional<double> parse_rate(std::string_view text) noexcept;

// "50/s", "0.5/s", "66.67/s".
std::string rate_text(double rate);

}  // namespace breakwater::storm
