// Watches over a storm from its start to its end, with a screen on a terminal and with lines elsewhere, and
// ends it at SIGINT or SIGTERM, or at SIGHUP: its terminal is gone.
#pragma once

#include <signal.h>

#include <cstdint>
#include <optional>

#include "client/storm_threads.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// SIGINT, SIGTERM and SIGHUP as something that can be waited for. Made before the first thread, which
// inherits that they are held back.
class Signals {
 public:
  Signals();
  bool wait(int64_t ns) const;  // true: one came within this time
  // But not a SIGHUP: of a terminal that goes there may be two, the shell's and the kernel's.
  void let_the_next_end_us() const;

 private:
  sigset_t ending_;
};

// Returns when all is over: how many seconds after its start a signal ended it; nullopt: none did. On
// standard error, if that is a terminal, a screen that is drawn anew twice a second, without colours if
// NO_COLOR is set (no-color.org); else a line every other second.
std::optional<double> watch(StormThreads& threads, const Signals& signals, const Scenario& scenario,
                            uint64_t arrivals);

}  // namespace breakwater::storm
