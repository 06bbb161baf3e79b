// The histogram: exact where values are small, within a hundredth everywhere, right at both ends.
#include "base/histogram.h"

#include <doctest/doctest.h>

#include <memory>

#include "base/rng.h"

using breakwater::Histogram;

TEST_CASE("nothing recorded") {
  const auto histogram = std::make_unique<Histogram>();
  CHECK(histogram->count() == 0);
  CHECK(histogram->max() == 0);
  CHECK(histogram->value_at(0.5) == 0);
  CHECK(histogram->value_at(1) == 0);
}

TEST_CASE("small values are exact") {
  const auto histogram = std::make_unique<Histogram>();
  for (uint64_t value = 1; value <= 100; ++value) histogram->record(value);
  CHECK(histogram->count() == 100);
  CHECK(histogram->value_at(0) == 1);
  CHECK(histogram->value_at(0.01) == 1);
  CHECK(histogram->value_at(0.5) == 50);
  CHECK(histogram->value_at(0.99) == 99);
  CHECK(histogram->value_at(1) == 100);
}

TEST_CASE("a percentile is never below the value and at most a hundredth above it") {
  breakwater::Rng rng(1);
  for (int round = 0; round < 10'000; ++round) {
    const uint64_t value = rng.next() >> (rng.next() % 64);
    const auto histogram = std::make_unique<Histogram>();
    histogram->record(value);
    histogram->record(~uint64_t{0});  // so that the median is not cut at the largest value
    const uint64_t median = histogram->value_at(0.5);
    CHECK(median >= value);
    CHECK(median - value <= value / 100);
  }
}

TEST_CASE("the largest value bounds every percentile") {
  const auto histogram = std::make_unique<Histogram>();
  histogram->record(1'000'001);
  CHECK(histogram->value_at(0.5) == 1'000'001);
  histogram->record(~uint64_t{0});
  CHECK(histogram->value_at(1) == ~uint64_t{0});
  CHECK(histogram->max() == ~uint64_t{0});
}

TEST_CASE("two histograms add up") {
  const auto low = std::make_unique<Histogram>();
  const auto high = std::make_unique<Histogram>();
  for (int i = 0; i < 90; ++i) low->record(10);
  for (int i = 0; i < 10; ++i) high->record(120);
  low->add(*high);
  CHECK(low->count() == 100);
  CHECK(low->value_at(0.9) == 10);
  CHECK(low->value_at(0.91) == 120);
  CHECK(low->max() == 120);
}
