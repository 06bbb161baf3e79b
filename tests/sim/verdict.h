// How a run ends badly: one sentence, the seed, and the command that replays it.
#pragma once

#include <string>

namespace breakwater::sim {

// The command that repeats the run that is under way; printed by violation() and on an assertion.
void set_replay_command(const std::string& command);
// For a fuzzer, which keeps the input of what aborts.
void abort_on_violation();
[[noreturn]] void violation(const std::string& what);

}  // namespace breakwater::sim
