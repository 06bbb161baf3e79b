// Collector: what one core's operations came to. Written by its core alone, without locks; of it another
// thread may read the progress while the storm goes on, and everything once that core's thread has ended.
//
// Memory: 58 KiB for each histogram that something was counted in (an operation has 9 at most); for each row
// of a series, of which there are 57,600 at most, 150 bytes and its latencies (7 KiB at most, some hundred
// bytes as a rule); for each operation 32 parts with as many compact latencies as it has histograms; 24 bytes
// for each runner. With 8 operations of 8 phases, two hours and 10,000 runners some 50 MiB as a rule.
#pragma once

#include <algorithm>
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
  using LatencyLayout = LogLinear<3>;
  static constexpr uint64_t latency_us_max = 3'600'000'000;
  static constexpr size_t latency_buckets = LatencyLayout::bucket_of(latency_us_max) + 1;
  static constexpr size_t bucket_of(int64_t ns) noexcept {
    return LatencyLayout::bucket_of(std::min(static_cast<uint64_t>(ns < 0 ? 0 : ns) / 1000, latency_us_max));
  }

  uint64_t begun = 0, ended = 0, failed = 0, bytes_received = 0;
  std::array<uint64_t, failures> by_failure{};         // [none]: those that went well
  std::array<uint64_t, latency_buckets> latency_us{};  // of those that went well
  std::array<uint64_t, latency_buckets> lag_us{};      // by how much begins were late

  void add(const Progress& other) noexcept;
};

class Collector {
 public:
  // Longer storms have so many seconds in a row of the series, that there are no more rows than this, and no
  // more of all operations together than `all_rows_max`.
  static constexpr uint32_t rows_max = 7200;
  static constexpr uint32_t all_rows_max = 8 * rows_max;

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
  // Of each operation, all of one length.
  const std::vector<std::vector<SecondCounts>>& series() const noexcept { return series_; }
  uint32_t row_seconds() const noexcept { return row_seconds_; }
  const std::vector<RunnerCounts>& runners() const noexcept { return runners_; }
  const Latencies& lag() const noexcept { return lag_; }
  const std::array<std::string, failures>& words() const noexcept { return words_; }

 private:
  SecondCounts& row_at(uint16_t operation, int64_t now_ns) noexcept;
  uint32_t part_of(int64_t intended_ns) const noexcept;
  void count_live(const Outcome& outcome) noexcept;

  const int64_t start_ns_;
  const int64_t counted_from_ns_;
  const int64_t counted_ns_;  // from there to the last begin
  uint32_t row_seconds_;
  std::vector<OperationCounts> operations_;
  std::vector<std::vector<SecondCounts>> series_;
  std::vector<RunnerCounts> runners_;
  Latencies lag_;
  std::array<std::string, failures> words_;
  std::atomic<uint64_t> begun_{0}, ended_{0}, bytes_received_{0};
  std::array<std::atomic<uint64_t>, failures> by_failure_{};
  std::array<std::atomic<uint64_t>, Progress::latency_buckets> latency_us_{}, lag_us_{};
};

}  // namespace breakwater::storm
