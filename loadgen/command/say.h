// What is said to whoever started the program. Nobody need take it, so neither of these throws: a storm goes
// on when its terminal is gone.
#pragma once

#include <string_view>

namespace breakwater::storm {

void say(std::string_view text);              // on standard output, which all_was_taken() judges
void complain(std::string_view text);         // on standard error
void complain_of(std::string_view sentence);  // the same, as a line of ours: "stormgen: SENTENCE"

// At the end, once. False: standard output did not take all that was said, and why is on standard error.
bool all_was_taken();

}  // namespace breakwater::storm
