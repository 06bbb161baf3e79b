// Allocations of a benchmark's iterations, told as `allocs` beside their time. A local of the benchmark, made
// when all is set up.
#pragma once

#include <benchmark/benchmark.h>

#include "base/thread_counts.h"

namespace breakwater {

class Allocations {
 public:
  explicit Allocations(benchmark::State& state) : state_(state), before_(thread_counts.allocations) {}
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;
  ~Allocations() {
    state_.counters["allocs"] = benchmark::Counter(static_cast<double>(thread_counts.allocations - before_),
                                                   benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  uint64_t before_;
};

}  // namespace breakwater
