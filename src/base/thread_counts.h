// What this thread did since it began, counted where it happens: allocations and system calls.
//
// One of the two thread_local objects of the program (the other is FramePool): who allocates or calls the
// kernel has no Core to hand. A core publishes its thread's counts in its Stats once a turn.
#pragma once

#include <cstdint>

namespace breakwater {

struct ThreadCounts {
  // Every operator new, in programs with counted_new.cc, and every coroutine frame that came from malloc.
  // Other calls of malloc are not seen: on the data path there are none (tests/counts watches malloc itself).
  uint64_t allocations = 0;
  // Every ring enter and every direct call of src/ring, and what wakes the log's writer. Reading a clock is
  // none, and setting up a ring is not counted.
  uint64_t system_calls = 0;
};

inline constinit thread_local ThreadCounts thread_counts;

}  // namespace breakwater
