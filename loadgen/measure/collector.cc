#include "measure/collector.h"

#include <algorithm>

namespace breakwater::storm {

namespace {

constexpr int64_t second_ns = 1'000'000'000;
constexpr size_t words_bytes_max = 200;

uint32_t seconds_of(const Scenario& scenario) {
  return static_cast<uint32_t>((ns(scenario.length) + ns(scenario.grace)) / second_ns) + 1;
}

// Only this thread adds; others read.
void add(std::atomic<uint64_t>& count, uint64_t more) noexcept {
  count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

}  // namespace

Collector::Collector(const Scenario& scenario, int64_t start_ns)
    : start_ns_(start_ns),
      counted_from_ns_(start_ns + ns(scenario.warm_up)),
      row_seconds_((seconds_of(scenario) + rows_max - 1) / rows_max),
      operations_(scenario.operations.size()),
      series_(seconds_of(scenario) / row_seconds_ + 1),
      runners_(scenario.runners.count) {}

void Collector::lagged(int64_t ns) noexcept {
  lag_.record_ns(ns);
  add(begun_, 1);
}

SecondCounts& Collector::row_at(int64_t now_ns) noexcept {
  const int64_t row = (now_ns - start_ns_) / second_ns / row_seconds_;
  return series_[static_cast<size_t>(std::clamp<int64_t>(row, 0, static_cast<int64_t>(series_.size()) - 1))];
}

void Collector::record(const Outcome& outcome, std::string_view words) {
  const bool is_failed = outcome.failure != Failure::none;
  add(ended_, 1);
  if (is_failed) add(failed_, 1);
  add(bytes_received_, outcome.bytes_received);
  if (outcome.intended_ns < counted_from_ns_) return;
  operations_[outcome.operation].count(outcome);
  std::string& first = words_[static_cast<size_t>(outcome.failure)];
  if (is_failed && first.empty()) first = words.substr(0, words_bytes_max);

  row_at(outcome.started_ns).begun++;
  SecondCounts& row = row_at(outcome.ended_ns);
  row.bytes_received += outcome.bytes_received;
  row.bytes_sent += outcome.bytes_sent;
  RunnerCounts& runner = runners_[outcome.runner];
  if (outcome.vanished) return;
  row.ended++;
  if (is_failed) {
    row.failed++;
    runner.failed++;
    return;
  }
  const uint64_t latency_us = static_cast<uint64_t>(std::max<int64_t>(outcome.latency_ns(), 0)) / 1000;
  row.latency_sum_us += latency_us;
  row.latency_max_us =
      std::max(row.latency_max_us, static_cast<uint32_t>(std::min<uint64_t>(latency_us, UINT32_MAX)));
  runner.well++;
  runner.bytes_received += outcome.bytes_received;
  runner.busy_ns += outcome.ended_ns - outcome.started_ns;
}

Progress Collector::progress() const noexcept {
  return {begun_.load(std::memory_order_relaxed), ended_.load(std::memory_order_relaxed),
          failed_.load(std::memory_order_relaxed), bytes_received_.load(std::memory_order_relaxed)};
}

}  // namespace breakwater::storm
