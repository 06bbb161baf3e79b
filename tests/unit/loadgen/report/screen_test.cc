// What a terminal shows of a storm that goes on: figures of the last seconds, within its width, in place of
// the frame before.
#include "report/screen.h"

#include <doctest/doctest.h>

#include <sstream>

#include "unit/loadgen/report/made_up.h"

using namespace breakwater::storm;

namespace {

// Without sequences of ECMA-48.
std::string plain(std::string_view text) {
  std::string without;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\x1b') {
      without += text[at];
      continue;
    }
    while (at < text.size() && (text[at] < '@' || text[at] == '[')) ++at;
  }
  return without;
}

size_t widest(const std::string& text) {
  std::istringstream lines(plain(text));
  size_t most = 0;
  for (std::string line; std::getline(lines, line);) most = std::max(most, line.size());
  return most;
}

Progress progress_of(uint64_t begun, uint64_t ended, int64_t latency_ns) {
  Progress progress;
  progress.begun = begun;
  progress.ended = ended;
  progress.bytes_received = ended * 1'000'000;
  progress.latency_us[Progress::bucket_of(latency_ns)] = ended;
  progress.lag_us[Progress::bucket_of(50'000)] = begun;
  return progress;
}

}  // namespace

TEST_CASE("screen: a frame has the figures, and what ended in the last seconds makes the rate") {
  Screen screen(made_up::scenario_of({.seconds = 20}), 400, false);
  const std::string none = screen.frame(progress_of(0, 0, 0), 0.0, 100);
  CHECK(none.find("0 of 400 begun, 0 running, 0 ended") != std::string::npos);
  CHECK(none.find("nothing has ended well just now") != std::string::npos);
  screen.frame(progress_of(10, 0, 0), 5.0, 100);
  const std::string frame = screen.frame(progress_of(120, 100, 40'000'000), 10.0, 100);
  CHECK(frame.find("120 of 400 begun, 20 running, 100 ended") != std::string::npos);
  CHECK(frame.find("20.0/s, 20.0 MB/s") != std::string::npos);  // 100 in the 5 seconds since
  CHECK(frame.find("time        10 s of 20 s  [####################....................]") !=
        std::string::npos);
  CHECK(frame.find("p50 4") != std::string::npos);
  CHECK(frame.find("failed      none") != std::string::npos);
}

TEST_CASE("screen: a frame erases the one before, line by line") {
  Screen screen(made_up::scenario_of({}), 0, false);
  const std::string first = screen.frame(progress_of(1, 0, 0), 1.0, 100);
  CHECK(first.find('\x1b') == std::string::npos);
  const auto lines = std::ranges::count(first, '\n');
  CHECK(
      screen.frame(progress_of(2, 0, 0), 1.5, 100).starts_with("\x1b[" + std::to_string(lines) + "F\x1b[J"));
  CHECK(screen.end() == "\x1b[" + std::to_string(lines) + "F\x1b[J");
  CHECK(screen.end().empty());
  CHECK(first.find(" of 0 ") == std::string::npos);  // a closed loop plans nothing
}

TEST_CASE("screen: no line is wider than the terminal, and without colours there are none") {
  for (const bool has_colours : {false, true}) {
    for (const unsigned columns : {0u, 20u, 33u, 80u, 200u}) {
      Screen screen(made_up::scenario_of({}), 400, has_colours);
      for (int second = 0; second < 100; ++second) {
        Progress progress = progress_of(second * 50, second * 40, 1'000'000'000);
        for (size_t each = 1; each < failures; ++each) progress.by_failure[each] = progress.failed += 1000;
        const std::string frame = screen.frame(progress, second, columns);
        CHECK(widest(frame) <= std::max(columns, 20u));
        CHECK((frame.find('m', frame.find("\x1b[2")) != std::string::npos &&
               frame.find("\x1b[2m") != std::string::npos) == has_colours);
      }
    }
  }
}

TEST_CASE("screen: what failed is told by kind, and the grace after the last begin is told as that") {
  Screen screen(made_up::scenario_of({.seconds = 20}), 400, false);
  Progress progress = progress_of(400, 390, 1'000'000);
  progress.failed = 3;
  progress.by_failure[static_cast<size_t>(Failure::corrupt)] = 3;
  const std::string frame = screen.frame(progress, 25.0, 100);
  CHECK(frame.find("failed      3 corrupt") != std::string::npos);
  CHECK(frame.find("grace       5 s of 10 s") != std::string::npos);
}
