// Assertions about our own code. Never about a peer's bytes: those are values (error.h).
//
// BW_ASSERT stays on in every build type. It prints the condition and where it stands, then aborts.
// It evaluates its condition exactly once and has no other effect.
#pragma once

namespace breakwater {

[[noreturn]] void assert_failed(const char* condition, const char* file, int line) noexcept;

// Ends a start-up that can't go on: prints "breakwater: <sentence>" on stderr and exits with `status`.
[[noreturn]] void fatal(const char* sentence, int status = 1) noexcept;

}  // namespace breakwater

#define BW_ASSERT(condition)                                       \
  do {                                                             \
    if (!(condition)) [[unlikely]]                                 \
      ::breakwater::assert_failed(#condition, __FILE__, __LINE__); \
  } while (false)
