// How much a runner reads in a time, and how the pace is divided over receives and sockets.
#include "client/token_bucket.h"

#include <doctest/doctest.h>

#include "client/pace.h"

using namespace breakwater::storm;

namespace {
constexpr int64_t second_ns = 1'000'000'000;
}

TEST_CASE("a bucket without a rate never waits") {
  TokenBucket bucket(0, 100, 5);
  bucket.take(1'000'000, 5);
  CHECK(bucket.ready_ns(5) == 5);
}

TEST_CASE("a receive may take more than is there, and the debt is paid before the next") {
  TokenBucket bucket(1000, 500, 0);
  bucket.take(1500, 0);  // 500 were there
  CHECK(bucket.ready_ns(0) == doctest::Approx(second_ns).epsilon(1e-6));
  CHECK(bucket.ready_ns(second_ns / 2) == doctest::Approx(second_ns).epsilon(1e-6));
  CHECK(bucket.ready_ns(2 * second_ns) == 2 * second_ns);
}

TEST_CASE("over a long time the rate holds, whatever the sizes") {
  constexpr uint64_t rate = 64 * 1024;
  TokenBucket bucket(rate, 4096, 0);
  uint64_t taken = 0;
  int64_t now_ns = 0;
  for (size_t i = 0; now_ns < 100 * second_ns; ++i) {
    const size_t bytes = 1 + i * 7919 % 20'000;
    bucket.take(bytes, now_ns);
    taken += bytes;
    now_ns = bucket.ready_ns(now_ns);
  }
  const double seconds = static_cast<double>(now_ns) / second_ns;
  CHECK(static_cast<double>(taken) <= seconds * rate + 4096 + 1);
  CHECK(static_cast<double>(taken) >= seconds * rate - 1);
}

TEST_CASE("a bucket that was left alone holds no more than its burst") {
  TokenBucket bucket(1000, 500, 0);
  bucket.take(501, 100 * second_ns);
  CHECK(bucket.ready_ns(100 * second_ns) > 100 * second_ns);
}

TEST_CASE("a clock that stands still gives nothing") {
  TokenBucket bucket(1000, 0, 10);
  bucket.take(1, 10);
  const int64_t ready_ns = bucket.ready_ns(10);
  CHECK(ready_ns > 10);
  CHECK(bucket.ready_ns(10) == ready_ns);
}

TEST_CASE("slow readers have small sockets, fast ones the kernel's choice") {
  CHECK(Pace::of(0).socket_bytes == 0);
  CHECK(Pace::of(0).receive_bytes == 0);
  CHECK(Pace::of(64 * 1024).socket_bytes == 64 * 1024 / 10);
  CHECK(Pace::of(64 * 1024).receive_bytes == Pace::receive_least);
  CHECK(Pace::of(1).socket_bytes == static_cast<int>(Pace::socket_least));
  CHECK(Pace::of(1'000'000'000).receive_bytes == Pace::receive_most);
  CHECK(Pace::of(1'000'000'000).socket_bytes == static_cast<int>(Pace::socket_most));
}
