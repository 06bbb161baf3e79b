// What outcomes come to: per operation, per second, and over all. Plain values that add up; one set on each
// core while a storm goes on, one of all in the end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "measure/compact_latencies.h"
#include "measure/outcome.h"

namespace breakwater::storm {

// A histogram that takes its 58 KiB when something is counted in it first. In microseconds.
class Latencies {
 public:
  void record_ns(int64_t ns) {
    if (!histogram_) histogram_ = std::make_unique<Histogram>();
    histogram_->record(static_cast<uint64_t>(ns < 0 ? 0 : ns) / 1000);
  }
  void add(const Latencies& other) {
    if (!other.histogram_) return;
    if (!histogram_) histogram_ = std::make_unique<Histogram>();
    histogram_->add(*other.histogram_);
  }
  uint64_t count() const noexcept { return histogram_ ? histogram_->count() : 0; }
  uint64_t max_us() const noexcept { return histogram_ ? histogram_->max() : 0; }
  uint64_t us_at(double quantile) const noexcept { return histogram_ ? histogram_->value_at(quantile) : 0; }
  void record_us(uint64_t us, uint64_t times) {
    if (!histogram_) histogram_ = std::make_unique<Histogram>();
    histogram_->record(us, times);
  }
  const Histogram* histogram() const noexcept { return histogram_.get(); }  // null: nothing was counted

 private:
  std::unique_ptr<Histogram> histogram_;
};

// A storm's length in so many equal parts. What a run is compared by (report/compare.h): operations of one
// part hang together (a stall is met by all that wait), those of different parts much less.
inline constexpr uint32_t parts = 32;

// Of one operation in one part of the storm, by when it should have begun.
struct PartCounts {
  uint32_t ended = 0, failed = 0;  // without those that vanished
  uint64_t bytes_received = 0;
  CompactLatencies latency;
  std::array<CompactLatencies, phases> phase;

  void count(const Outcome& outcome);
  void add(const PartCounts& other);
};

// Of one operation of the scenario.
struct OperationCounts {
  uint64_t ended = 0;  // failed or not, without those that vanished
  uint64_t vanished = 0;
  std::array<uint64_t, failures> by_failure{};  // [none]: those that went well
  uint64_t tries = 0, requests = 0, connections = 0, stalls = 0;
  uint64_t bytes_received = 0, bytes_sent = 0;
  uint64_t packs = 0, pack_bytes = 0, pack_objects = 0, deep_checks = 0;
  // Of those that went well. Latency is from the intended start to the end, of all tries; a phase is from
  // the start of the try that went well.
  Latencies latency;
  std::array<Latencies, phases> phase;
  std::array<PartCounts, parts> part;

  void count(const Outcome& outcome, uint32_t in_part);
  void add(const OperationCounts& other);
  uint64_t failed() const noexcept { return ended - by_failure[0]; }
};

// Of one second of the storm, by when operations ended.
struct SecondCounts {
  uint32_t ended = 0, failed = 0, begun = 0;
  uint64_t bytes_received = 0, bytes_sent = 0;
  uint64_t latency_sum_us = 0;  // of those that went well
  uint32_t latency_max_us = 0;
  CompactLatencies latency;                     // of the same
  std::array<uint32_t, failures> by_failure{};  // [none]: those that went well

  void add(const SecondCounts& other);
};

// What of a runner is told from others: how fair they were served.
struct RunnerCounts {
  uint32_t well = 0, failed = 0;
  uint64_t bytes_received = 0;
  int64_t busy_ns = 0;  // with operations that went well
};

// Jain's index of the rates at which runners received, of those that received anything: 1 if all had the
// same, 1/n if one had it all. 1 where nobody had anything.
double fairness(const std::vector<RunnerCounts>& runners) noexcept;

}  // namespace breakwater::storm
