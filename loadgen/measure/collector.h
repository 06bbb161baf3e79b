// Collector: what one core's operations came to. Written by its core alone, without locks; of it another
// thread may read the progress while the storm goes on, and everything once that core's thread has ended.
//
// Memory: 58 KiB for each histogram that something was counted in (an operation has 9 at most), 48 bytes for
// each second, 24 for each runner: with 16 operations, an hour and 10,000 runners 9 MiB.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "measure/counts.h"
#include "measure/outcome.h"
#include "plan/scenario.h"

namespace breakwater::storm {

// For a screen: a moment's figures, in no order with each other.
struct Progress {
  uint64_t begun = 0, ended = 0, failed = 0, bytes_received = 0;
};

class Collector {
 public:
  // Longer storms have so many seconds in a row of the series, that there are no more rows than this.
  static constexpr uint32_t rows_max = 7200;

  // `start_ns`: the storm's, monotonic.
  Collector(const Scenario& scenario, int64_t start_ns);
  Collector(const Collector&) = delete;
  Collector& operator=(const Collector&) = delete;

  // An operation begins. The generator came to it so much later than it should have.
  void lagged(int64_t ns) noexcept;
  // It has ended. In the warm-up it is not counted. `words` say more of a failure; the first of a kind stay.
  void record(const Outcome& outcome, std::string_view words = {});

  Progress progress() const noexcept;  // any thread

  // ---- once it is over
  const std::vector<OperationCounts>& operations() const noexcept { return operations_; }
  const std::vector<SecondCounts>& series() const noexcept { return series_; }
  uint32_t row_seconds() const noexcept { return row_seconds_; }
  const std::vector<RunnerCounts>& runners() const noexcept { return runners_; }
  const Latencies& lag() const noexcept { return lag_; }
  const std::array<std::string, failures>& words() const noexcept { return words_; }

 private:
  SecondCounts& row_at(int64_t now_ns) noexcept;

  const int64_t start_ns_;
  const int64_t counted_from_ns_;
  uint32_t row_seconds_;
  std::vector<OperationCounts> operations_;
  std::vector<SecondCounts> series_;
  std::vector<RunnerCounts> runners_;
  Latencies lag_;
  std::array<std::string, failures> words_;
  std::atomic<uint64_t> begun_{0}, ended_{0}, failed_{0}, bytes_received_{0};
};

}  // namespace breakwater::storm
