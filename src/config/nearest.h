// The known name a misspelt one was probably meant to be.
#pragma once

#include <span>
#include <string_view>

namespace breakwater::config {

// The candidate with the fewest typing slips (a letter missing, added, replaced, or two neighbours swapped)
// from `name`; empty if none is near enough to be worth a guess. Views into `candidates`.
std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace breakwater::config
