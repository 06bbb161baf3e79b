#include "tests/sim/verdict.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace breakwater::sim {

namespace {

char replay[16384] = "";

// BW_ASSERT and the sanitizers abort; the seed must be known then too.
void on_abort(int) {
  static constexpr char text[] =
      "violation: the proxy's own assertion, or a sanitizer, stopped the run\nreplay with: ";
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  ignored += write(STDERR_FILENO, replay, strlen(replay));
  ignored += write(STDERR_FILENO, "\n", 1);
  _exit(3);
}

}  // namespace

void set_replay_command(std::string command) {
  std::snprintf(replay, sizeof replay, "%s", command.c_str());
  signal(SIGABRT, on_abort);
#ifndef __SANITIZE_ADDRESS__  // it tells more itself, and then aborts
  signal(SIGSEGV, on_abort);
#endif
}

void violation(const std::string& what) {
  std::fflush(stdout);
  std::fprintf(stderr, "violation: %s\nreplay with: %s\n", what.c_str(), replay);
  std::fflush(stderr);
  _exit(3);
}

}  // namespace breakwater::sim

// So that the sanitizers end by on_abort, and the seed is known.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" const char* __asan_default_options() {
  return "abort_on_error=1";
}
extern "C" const char* __ubsan_default_options() {
  return "abort_on_error=1:halt_on_error=1:print_stacktrace=1";
}
// NOLINTEND(bugprone-reserved-identifier)
