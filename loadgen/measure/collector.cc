#include "measure/collector.h"

#include <algorithm>

#include "base/second.h"

namespace breakwater::storm {

namespace {

constexpr size_t words_bytes_max = 200;

uint32_t seconds_of(const Scenario& scenario) {
  return static_cast<uint32_t>((ns(scenario.length) + ns(scenario.grace)) / second_ns) + 1;
}

uint32_t row_seconds_of(const Scenario& scenario) {
  const auto operations = static_cast<uint32_t>(std::max<size_t>(scenario.operations.size(), 1));
  const uint32_t rows = std::clamp(Collector::all_rows_max / operations, 1u, Collector::rows_max);
  return (seconds_of(scenario) + rows - 1) / rows;
}

uint64_t latency_us(const Outcome& outcome) noexcept {
  return static_cast<uint64_t>(std::max<int64_t>(outcome.latency_ns(), 0)) / 1000;
}

// Servers have a say in it.
std::string printable(std::string_view words) {
  std::string text(words);
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }, ' ');
  return text;
}

// Only this thread adds; others read.
void add(std::atomic<uint64_t>& count, uint64_t more) noexcept {
  count.store(count.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

uint64_t now(const std::atomic<uint64_t>& count) noexcept {
  return count.load(std::memory_order_relaxed);
}

}  // namespace

Collector::Collector(const Scenario& scenario, int64_t start_ns)
    : start_ns_(start_ns),
      counted_from_ns_(start_ns + ns(scenario.warm_up)),
      counted_ns_(std::max<int64_t>(ns(scenario.length) - ns(scenario.warm_up), 1)),
      row_seconds_(row_seconds_of(scenario)),
      operations_(scenario.operations.size()),
      series_(scenario.operations.size(), std::vector<SecondCounts>(seconds_of(scenario) / row_seconds_ + 1)),
      runners_(scenario.runners.count) {}

void Collector::lagged(int64_t ns) noexcept {
  lag_.record_ns(ns);
  add(lag_us_[Progress::bucket_of(ns)], 1);
  add(begun_, 1);
}

SecondCounts& Collector::row_at(uint16_t operation, int64_t now_ns) noexcept {
  std::vector<SecondCounts>& series = series_[operation];
  const int64_t row = (now_ns - start_ns_) / second_ns / row_seconds_;
  return series[static_cast<size_t>(std::clamp<int64_t>(row, 0, static_cast<int64_t>(series.size()) - 1))];
}

uint32_t Collector::part_of(int64_t intended_ns) const noexcept {
  const double share = static_cast<double>(intended_ns - counted_from_ns_) / static_cast<double>(counted_ns_);
  return static_cast<uint32_t>(std::clamp(share * parts, 0.0, parts - 1.0));
}

void Collector::count_live(const Outcome& outcome) noexcept {
  add(ended_, 1);
  add(bytes_received_, outcome.bytes_received);
  if (outcome.vanished) return;
  add(by_failure_[static_cast<size_t>(outcome.failure)], 1);
  if (outcome.failure != Failure::none) return;
  add(latency_us_[Progress::bucket_of(outcome.latency_ns())], 1);
}

void Collector::record(const Outcome& outcome, std::string_view words) {
  const bool is_failed = outcome.failure != Failure::none;
  count_live(outcome);
  if (outcome.intended_ns < counted_from_ns_) return;
  operations_[outcome.operation].count(outcome, part_of(outcome.intended_ns));
  std::string& first = words_[static_cast<size_t>(outcome.failure)];
  if (is_failed && first.empty()) first = printable(words.substr(0, words_bytes_max));

  row_at(outcome.operation, outcome.started_ns).begun++;
  SecondCounts& row = row_at(outcome.operation, outcome.ended_ns);
  row.bytes_received += outcome.bytes_received;
  row.bytes_sent += outcome.bytes_sent;
  RunnerCounts& runner = runners_[outcome.runner];
  if (outcome.vanished) return;
  row.ended++;
  row.by_failure[static_cast<size_t>(outcome.failure)]++;
  if (is_failed) {
    row.failed++;
    runner.failed++;
    return;
  }
  const uint64_t us = latency_us(outcome);
  row.latency.record_us(us, 1);
  row.latency_sum_us += us;
  row.latency_max_us =
      std::max(row.latency_max_us, static_cast<uint32_t>(std::min<uint64_t>(us, UINT32_MAX)));
  runner.well++;
  runner.bytes_received += outcome.bytes_received;
  runner.busy_ns += outcome.ended_ns - outcome.started_ns;
}

void Progress::add(const Progress& other) noexcept {
  begun += other.begun;
  ended += other.ended;
  failed += other.failed;
  bytes_received += other.bytes_received;
  for (size_t each = 0; each < failures; ++each) by_failure[each] += other.by_failure[each];
  for (size_t each = 0; each < latency_buckets; ++each) {
    latency_us[each] += other.latency_us[each];
    lag_us[each] += other.lag_us[each];
  }
}

Progress Collector::progress() const noexcept {
  Progress moment;
  moment.begun = now(begun_);
  moment.ended = now(ended_);
  moment.bytes_received = now(bytes_received_);
  for (size_t each = 0; each < failures; ++each) moment.by_failure[each] = now(by_failure_[each]);
  for (size_t each = 1; each < failures; ++each) moment.failed += moment.by_failure[each];
  for (size_t each = 0; each < Progress::latency_buckets; ++each) {
    moment.latency_us[each] = now(latency_us_[each]);
    moment.lag_us[each] = now(lag_us_[each]);
  }
  return moment;
}

}  // namespace breakwater::storm
