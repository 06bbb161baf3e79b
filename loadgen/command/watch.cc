#include "command/watch.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

#include "base/second.h"
#include "command/say.h"
#include "report/screen.h"
#include "report/summary.h"
#include "ring/sys.h"

namespace breakwater::storm {

namespace {

constexpr int64_t look_ns = second_ns / 20;
constexpr int64_t between_lines_ns = 2 * second_ns;
constexpr int64_t between_frames_ns = second_ns / 2;

std::string_view variable(const char* name) {
  const char* const value = getenv(name);
  return value == nullptr ? "" : value;
}

bool is_screen() {
  return isatty(STDERR_FILENO) == 1 && variable("TERM") != "dumb" && !variable("TERM").empty();
}

unsigned columns() {
  constexpr unsigned usual = 80;
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : usual;
}

}  // namespace

Signals::Signals() {
  sigemptyset(&ending_);
  for (const int each : {SIGINT, SIGTERM}) sigaddset(&ending_, each);
  // nohup(1) ignores it, but one that is held back and waited for would come all the same.
  struct sigaction hangup{};
  if (sigaction(SIGHUP, nullptr, &hangup) == 0 && hangup.sa_handler != SIG_IGN) sigaddset(&ending_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &ending_, nullptr);
  signal(SIGPIPE, SIG_IGN);
}

bool Signals::wait(int64_t ns) const {
  const timespec limit{.tv_sec = ns / second_ns, .tv_nsec = ns % second_ns};
  return sigtimedwait(&ending_, nullptr, &limit) > 0;
}

void Signals::let_the_next_end_us() const {
  sigset_t again = ending_;
  sigdelset(&again, SIGHUP);
  pthread_sigmask(SIG_UNBLOCK, &again, nullptr);
}

std::optional<double> watch(StormThreads& threads, const Signals& signals, const Scenario& scenario,
                            uint64_t arrivals) {
  std::optional<Screen> screen;
  if (is_screen()) screen.emplace(scenario, arrivals, variable("NO_COLOR").empty());
  const int64_t between_ns = screen ? between_frames_ns : between_lines_ns;
  int64_t next_ns = threads.start_ns() + between_ns;
  const auto seconds_since_start = [&threads] {
    return static_cast<double>(sys::monotonic_ns() - threads.start_ns()) / second_ns;
  };
  std::optional<double> broken_off;
  while (!threads.has_ended()) {
    if (!broken_off && signals.wait(look_ns)) {
      broken_off = std::max(seconds_since_start(), 0.0);
      complain((screen ? screen->end() : "") +
               "ending: what runs is not counted (signal again to end at once)\n");
      threads.abort();
      signals.let_the_next_end_us();
    } else if (broken_off) {
      usleep(look_ns / 1000);
    }
    const int64_t now = sys::monotonic_ns();
    if (now < next_ns) continue;
    next_ns += between_ns;
    const double elapsed = seconds_since_start();
    const Progress progress = threads.progress();
    complain(screen ? screen->frame(progress, elapsed, columns()) : progress_line(progress, elapsed) + "\n");
  }
  if (screen) complain(screen->end());
  return broken_off;
}

}  // namespace breakwater::storm
