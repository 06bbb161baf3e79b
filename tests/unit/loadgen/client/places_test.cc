// First come, first served, and nobody waits for ever.
#include "client/places.h"

#include <doctest/doctest.h>

#include <deque>

#include "unit/core_world.h"

using namespace breakwater;
using namespace breakwater::storm;

TEST_CASE("places are given in the order of asking") {
  const CoreWorld world(16);
  Places places(*world.core, 2);
  std::deque<Places::Wait> waits;
  for (int i = 0; i < 4; ++i) waits.emplace_back(places);
  CHECK(waits[1].is_granted());
  CHECK_FALSE(waits[2].is_granted());
  CHECK_FALSE(waits[2].granted.is_set());
  places.leave();
  CHECK(waits[2].is_granted());
  CHECK_FALSE(waits[3].is_granted());
  places.close();
  CHECK(waits[3].granted.is_set());
  CHECK_FALSE(waits[3].is_granted());
  places.leave();
  places.leave();
}

TEST_CASE("without a bound everybody has one, and who gives up leaves the queue") {
  const CoreWorld world(16);
  Places unbounded(*world.core, 0), one(*world.core, 1);
  for (int i = 0; i < 100; ++i) {
    const Places::Wait wait(unbounded);
    CHECK(wait.is_granted());
  }
  const Places::Wait first(one);
  {
    const Places::Wait impatient(one);
    CHECK_FALSE(impatient.is_granted());
  }
  one.leave();
  const Places::Wait second(one);
  CHECK(second.is_granted());
}
