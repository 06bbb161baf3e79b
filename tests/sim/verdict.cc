#include "sim/verdict.h"

#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

namespace breakwater::sim {

namespace {

char replay[16384] = "";
bool aborts = false;

// BW_ASSERT and the sanitizers end the process; the seed must be known then too.
void on_death() {
  static constexpr std::string_view text =
      "violation: the proxy's own assertion, or a sanitizer, stopped the run\nreplay with: ";
  for (const std::string_view part : {text, std::string_view(replay), std::string_view("\n")})
    if (write(STDERR_FILENO, part.data(), part.size()) < 0) return;
}
void on_abort(int) {
  on_death();
  _exit(3);
}

}  // namespace

void set_replay_command(const std::string& command) {
  std::snprintf(replay, sizeof replay, "%s", command.c_str());
  signal(SIGABRT, on_abort);
#ifdef __SANITIZE_ADDRESS__
  __sanitizer_set_death_callback(on_death);
#else
  signal(SIGSEGV, on_abort);
#endif
}

void abort_on_violation() {
  aborts = true;
}

void violation(const std::string& what) {
  std::fflush(stdout);
  if (aborts) {
    std::fprintf(stderr, "violation: %s\n", what.c_str());
    std::abort();
  }
  std::fprintf(stderr, "violation: %s\nreplay with: %s\n", what.c_str(), replay);
  std::fflush(stderr);
  _exit(3);
}

}  // namespace breakwater::sim
