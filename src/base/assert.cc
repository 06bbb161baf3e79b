#include "base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace breakwater {

void assert_failed(const char* condition, const char* file, int line) noexcept {
  std::fprintf(stderr,
               "breakwater: assertion failed: %s (%s:%d). This is a bug in Breakwater; please report it.\n",
               condition, file, line);
  std::abort();
}

void fatal(const char* sentence, int status) noexcept {
  std::fprintf(stderr, "breakwater: %s\n", sentence);
  std::exit(status);
}

}  // namespace breakwater
