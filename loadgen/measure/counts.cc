#include "measure/counts.h"

#include <algorithm>

namespace breakwater::storm {

void PartCounts::count(const Outcome& outcome) {
  bytes_received += outcome.bytes_received;
  if (outcome.vanished) return;
  ended++;
  if (outcome.failure != Failure::none) {
    failed++;
    return;
  }
  latency.record_ns(outcome.latency_ns());
  for (size_t each = 0; each < phases; ++each)
    if (outcome.phase_ns[each] >= 0) phase[each].record_ns(outcome.phase_ns[each]);
}

void PartCounts::add(const PartCounts& other) {
  ended += other.ended;
  failed += other.failed;
  bytes_received += other.bytes_received;
  latency.add(other.latency);
  for (size_t each = 0; each < phases; ++each) phase[each].add(other.phase[each]);
}

void OperationCounts::count(const Outcome& outcome, uint32_t in_part) {
  part[in_part].count(outcome);
  tries += outcome.tries;
  requests += outcome.requests;
  connections += outcome.connections;
  stalls += outcome.stalls;
  bytes_received += outcome.bytes_received;
  bytes_sent += outcome.bytes_sent;
  if (outcome.vanished) {
    vanished++;
    return;
  }
  ended++;
  by_failure[static_cast<size_t>(outcome.failure)]++;
  if (outcome.pack_bytes > 0) packs++;
  pack_bytes += outcome.pack_bytes;
  pack_objects += outcome.pack_objects;
  deep_checks += outcome.deeply_checked ? 1 : 0;
  if (outcome.failure != Failure::none) return;
  latency.record_ns(outcome.latency_ns());
  for (size_t each = 0; each < phases; ++each)
    if (outcome.phase_ns[each] >= 0) phase[each].record_ns(outcome.phase_ns[each]);
}

void OperationCounts::add(const OperationCounts& other) {
  ended += other.ended;
  vanished += other.vanished;
  for (size_t each = 0; each < failures; ++each) by_failure[each] += other.by_failure[each];
  tries += other.tries;
  requests += other.requests;
  connections += other.connections;
  stalls += other.stalls;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  packs += other.packs;
  pack_bytes += other.pack_bytes;
  pack_objects += other.pack_objects;
  deep_checks += other.deep_checks;
  latency.add(other.latency);
  for (size_t each = 0; each < phases; ++each) phase[each].add(other.phase[each]);
  for (size_t each = 0; each < parts; ++each) part[each].add(other.part[each]);
}

void SecondCounts::add(const SecondCounts& other) {
  ended += other.ended;
  failed += other.failed;
  begun += other.begun;
  bytes_received += other.bytes_received;
  bytes_sent += other.bytes_sent;
  latency_sum_us += other.latency_sum_us;
  latency_max_us = std::max(latency_max_us, other.latency_max_us);
  latency.add(other.latency);
  for (size_t each = 0; each < failures; ++each) by_failure[each] += other.by_failure[each];
}

double fairness(const std::vector<RunnerCounts>& runners) noexcept {
  double sum = 0, squares = 0, count = 0;
  for (const RunnerCounts& runner : runners) {
    if (runner.bytes_received == 0 || runner.busy_ns <= 0) continue;
    const double rate = static_cast<double>(runner.bytes_received) / static_cast<double>(runner.busy_ns);
    sum += rate;
    squares += rate * rate;
    count++;
  }
  return squares > 0 ? sum * sum / (count * squares) : 1;
}

}  // namespace breakwater::storm
