// The pace of streams: what is waited for, and what never is.
#include "proxy/flow.h"

#include <doctest/doctest.h>

using breakwater::proxy::Flow;

namespace {

constexpr int64_t ms = 1'000'000;

// A stream at a steady pace, which is asked about after each of its pieces.
struct Stream {
  Flow flow;
  int64_t now_ns = 0;
  size_t low_water = 1;

  explicit Stream(bool end_shows) { flow.start(now_ns, end_shows); }
  void run(size_t piece, int64_t every_ns, int pieces) {
    for (int count = 0; count < pieces; count++) {
      now_ns += every_ns;
      flow.moved(piece);
      low_water = flow.low_water(now_ns);
    }
  }
};

}  // namespace

TEST_CASE("a fast stream is woken for what comes in a few milliseconds") {
  Stream stream(true);
  stream.run(8192, ms / 10, 400);  // 80 MB/s
  CHECK(stream.low_water == 512 * 1024);
  stream.run(8192, ms / 100, 2000);  // 800 MB/s
  CHECK(stream.low_water == Flow::low_water_max);
}

TEST_CASE("a slow stream is woken for every byte") {
  Stream stream(true);
  stream.run(1000, ms, 2000);  // 1 MB/s
  CHECK(stream.low_water == 1);
}

TEST_CASE("a stream has to prove itself first") {
  Stream stream(true);
  stream.run(8192, ms / 10, Flow::proof_bytes / 8192 / 2);
  CHECK(stream.low_water == 1);
}

TEST_CASE("after a lull every byte counts again, until the stream has proved itself for longer") {
  Stream stream(true);
  stream.run(8192, ms / 10, 400);
  REQUIRE(stream.low_water > 1);
  stream.flow.lull();
  stream.low_water = stream.flow.low_water(stream.now_ns);
  CHECK(stream.low_water == 1);
  stream.run(8192, ms / 10, Flow::proof_bytes / 8192);
  CHECK(stream.low_water == 1);
  stream.run(8192, ms / 10, 400);
  CHECK(stream.low_water > 1);
}

TEST_CASE("where the end of a body does not show, less is waited for, and only if it comes in drops") {
  Stream drops(false);
  drops.run(8192, ms / 10, 400);
  CHECK(drops.low_water == 128 * 1024);
  Stream floods(false);
  floods.run(512 * 1024, ms, 400);
  CHECK(floods.low_water == 1);
  Stream shows(true);
  CHECK(drops.flow.wait_ns() < shows.flow.wait_ns());
}
