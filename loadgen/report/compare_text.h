// A comparison in words: for a terminal, and the sentences that the page of it has too. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/compare.h"

namespace breakwater::storm {

// "faster", "slower", "more", "fewer failures", "no difference shown", "too few to say".
std::string_view verdict_words(const ComparedLine& line) noexcept;
std::string value_text(const ComparedLine& line, double value);  // "12.3 ms", "49.80/s", "0.100 %"
// "0.81 [0.76..0.87]", "+0.10 [-0.02..+0.22] points", and without an interval "0.81".
std::string ratio_text(const ComparedLine& line);
// What it comes to, a sentence each: "B is faster: clone p99 done 0.81 [0.76..0.87]", or that no difference
// is shown.
std::vector<std::string> verdicts(const Comparison& comparison);

std::string compare_text(const Comparison& comparison);

}  // namespace breakwater::storm
