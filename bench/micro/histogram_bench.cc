// What does it cost to count a latency, and to ask for a percentile?
#include <benchmark/benchmark.h>

#include <memory>

#include "allocations.h"
#include "base/histogram.h"

using namespace breakwater;

namespace {

void record(benchmark::State& state) {
  const auto histogram = std::make_unique<Histogram>();
  uint64_t value = 1;
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) {
    value = value * 6364136223846793005u + 1442695040888963407u;
    histogram->record(value >> 40);
  }
}
BENCHMARK(record);

void percentile(benchmark::State& state) {
  const auto histogram = std::make_unique<Histogram>();
  for (uint64_t value = 0; value < 1'000'000; value += 7) histogram->record(value);
  const Allocations allocations(state);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(histogram->value_at(0.99));
}
BENCHMARK(percentile);

}  // namespace

BENCHMARK_MAIN();
