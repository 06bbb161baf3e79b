// Allocations of a benchmark's iterations, told as `allocs` beside their time. A local of the benchmark, made
// when all is set up. It tells the speed too, if it is given the bytes of one iteration: the library
// allocates to hear that, which would be counted if the benchmark told it.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>

#include "base/thread_counts.h"

namespace breakwater {

class Allocations {
 public:
  explicit Allocations(benchmark::State& state, size_t iteration_bytes = 0)
      : state_(state), iteration_bytes_(iteration_bytes), before_(thread_counts.allocations) {}
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;
  ~Allocations() {
    const uint64_t count = thread_counts.allocations - before_;
    state_.counters["allocs"] =
        benchmark::Counter(static_cast<double>(count), benchmark::Counter::kAvgIterations);
    if (iteration_bytes_ != 0)
      state_.SetBytesProcessed(static_cast<int64_t>(state_.iterations()) *
                               static_cast<int64_t>(iteration_bytes_));
  }

 private:
  benchmark::State& state_;
  size_t iteration_bytes_;
  uint64_t before_;
};

}  // namespace breakwater
