// Who is too slow, to the byte; and what counts as a wait.
#include "proxy/client_pace.h"

#include <doctest/doctest.h>

#include "proxy/wait_clock.h"

using breakwater::proxy::ClientPace;
using breakwater::proxy::WaitClock;

namespace {

constexpr int64_t second = 1'000'000'000;

}  // namespace

TEST_CASE("a pace is kept by the byte, and by no byte less") {
  ClientPace pace(256, 120 * second);
  CHECK_FALSE(pace.begun());
  pace.begin({5 * second, 1'000'000});
  CHECK(pace.begun());
  CHECK(pace.left_ns(5 * second) == 120 * second);
  CHECK(pace.left_ns(124 * second) == second);
  CHECK(pace.left_ns(125 * second) == 0);
  CHECK(pace.left_ns(500 * second) == 0);
  CHECK(pace.is_kept({125 * second, 1'000'000 + 256 * 120}));
  CHECK_FALSE(pace.is_kept({125 * second, 1'000'000 + 256 * 120 - 1}));
}

TEST_CASE("a longer wait than a window asks for more") {
  ClientPace pace(1000, second);
  pace.begin({0, 0});
  CHECK(pace.is_kept({3 * second, 3000}));
  CHECK_FALSE(pace.is_kept({3 * second, 2999}));
}

TEST_CASE("each window stands by itself") {
  ClientPace pace(1000, second);
  pace.begin({0, 0});
  CHECK(pace.is_kept({second, 1'000'000}));
  pace.begin({second, 1'000'000});
  CHECK(pace.left_ns(second) == second);
  CHECK_FALSE(pace.is_kept({2 * second, 1'000'999}));
  pace.forget();
  CHECK_FALSE(pace.begun());
}

TEST_CASE("the largest pace and the longest wait do not overflow") {
  ClientPace pace(16 << 20, 3600 * second);
  pace.begin({0, 0});
  const int64_t month = 31 * 24 * 3600 * second;
  CHECK_FALSE(pace.is_kept({month, (uint64_t{16} << 20) * 31 * 24 * 3600 - 1}));
  CHECK(pace.is_kept({month, (uint64_t{16} << 20) * 31 * 24 * 3600}));
}

TEST_CASE("only waits count, and the one that goes on does") {
  WaitClock clock;
  CHECK(clock.total_ns(100) == 0);
  clock.begin(100);
  CHECK(clock.total_ns(100) == 0);
  CHECK(clock.total_ns(150) == 50);
  clock.end(160);
  CHECK(clock.total_ns(1000) == 60);
  clock.begin(1000);
  clock.end(1000);  // done at once
  CHECK(clock.total_ns(5000) == 60);
  clock.begin(5000);
  CHECK(clock.total_ns(5001) == 61);
}
