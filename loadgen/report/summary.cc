#include "report/summary.h"

#include <fmt/format.h>

namespace breakwater::storm {

namespace {

constexpr double quantiles[] = {0.5, 0.9, 0.95, 0.99, 0.999, 0.9999};

double share(uint64_t part, uint64_t all) {
  return all == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

void write_row(std::string& out, std::string_view what, const Latencies& latencies) {
  if (latencies.count() == 0) return;
  out += fmt::format("    {:<16}", what);
  for (const double quantile : quantiles) out += fmt::format("{:>10}", time_text(latencies.us_at(quantile)));
  out += fmt::format("{:>10}\n", time_text(latencies.max_us()));
}

void write_operation(std::string& out, std::string_view operation, const OperationCounts& counts,
                     double seconds, bool counts_http) {
  out += fmt::format("\n  {}: {} ended, {:.2f}/s, {} failed ({:.3f} %)", operation, counts.ended,
                     seconds > 0 ? static_cast<double>(counts.ended) / seconds : 0, counts.failed(),
                     share(counts.failed(), counts.ended));
  if (counts.vanished > 0) out += fmt::format(", {} vanished", counts.vanished);
  if (counts_http)
    out += fmt::format("\n    {} received, {} sent, {} requests, {} connections",
                       bytes_text(counts.bytes_received), bytes_text(counts.bytes_sent), counts.requests,
                       counts.connections);
  else
    out += "\n    bytes, requests and connections: not measured (they are git's own)";
  if (counts.packs > 0)
    out += fmt::format("\n    {} packs checked, {} of them unpacked by git; {} objects", counts.packs,
                       counts.deep_checks, counts.pack_objects);
  if (counts.stalls > 0) out += fmt::format("\n    {} times not a byte for a second", counts.stalls);
  out += "\n";
  if (counts.latency.count() == 0) return;
  out += fmt::format("    {:<16}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}\n", "", "p50", "p90", "p95", "p99",
                     "p99.9", "p99.99", "max");
  write_row(out, "latency", counts.latency);
  for (uint8_t each = 0; each < phases; ++each)
    write_row(out, name(static_cast<Phase>(each)), counts.phase[each]);
}

void write_failures(std::string& out, const Results& results) {
  if (results.all.failed() == 0) return;
  out += "\n  failures\n";
  for (uint8_t each = 1; each < failures; ++each) {
    const uint64_t count = results.all.by_failure[each];
    if (count == 0) continue;
    const Failure failure = static_cast<Failure>(each);
    out += fmt::format("    {:<10}{:>8}  {}\n", name(failure), count, explain(failure));
    if (!results.words[each].empty())
      out += fmt::format("    {:18}  the first: {}\n", "", results.words[each]);
  }
}

}  // namespace

std::string time_text(uint64_t us) {
  const double value = static_cast<double>(us);
  if (us < 1000) return fmt::format("{} us", us);
  if (us < 1'000'000) return fmt::format("{:.{}f} ms", value / 1e3, us < 10'000 ? 2 : us < 100'000 ? 1 : 0);
  return fmt::format("{:.{}f} s", value / 1e6, us < 10'000'000 ? 2 : 1);
}

std::string bytes_text(uint64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes < 1000) return fmt::format("{} B", bytes);
  if (bytes < 1'000'000) return fmt::format("{:.1f} kB", value / 1e3);
  if (bytes < 1'000'000'000) return fmt::format("{:.1f} MB", value / 1e6);
  return fmt::format("{:.2f} GB", value / 1e9);
}

std::string progress_line(const Progress& progress, double elapsed_seconds) {
  std::string text = fmt::format("{:4.0f} s: {} begun, {} ended, {} failed", elapsed_seconds, progress.begun,
                                 progress.ended, progress.failed);
  if (progress.bytes_received > 0) text += ", " + bytes_text(progress.bytes_received);
  return text;
}

std::string summary(const Report& report) {
  const RunFacts& facts = report.facts;
  const Results& results = report.results;
  std::string text;
  if (results.is_valid()) text += "valid";
  for (const std::string& doubt : results.doubts) text += fmt::format("INVALID: {}\n", doubt);
  text += fmt::format("{}{} at {}, {} loop, {} runners, seed {}, scenario {}\n",
                      results.is_valid() ? ": " : "", facts.program, facts.target,
                      facts.is_open ? "open" : "closed", facts.runners, facts.seed, facts.scenario_hash);
  text += fmt::format("kernel {}, {} x {}\n", facts.kernel, facts.cpus, facts.cpu);
  for (size_t i = 0; i < report.operations.size(); ++i)
    write_operation(text, report.operations[i], results.operations[i], results.effort.elapsed_seconds,
                    counts_http(facts));
  write_failures(text, results);
  const Effort& effort = results.effort;
  text += fmt::format("\n  generator: late by {} at p99, {:.2f} CPU s in {:.1f} s",
                      time_text(results.lag.us_at(0.99)), effort.cpu_seconds, effort.elapsed_seconds);
  constexpr uint64_t too_little = 10'000'000;  // for a figure per GB
  if (results.all.bytes_received > too_little)
    text += fmt::format(", {:.2f} CPU s/GB", cpu_seconds_per_gigabyte(results));
  if (effort.cpu_seconds > 0)
    text += fmt::format(", {:.0f} operations per CPU s", operations_per_cpu_second(results));
  text += counts_http(facts) ? fmt::format("\n  fairness between runners (Jain): {:.3f}\n", results.fairness)
                             : "\n  fairness between runners: not measured\n";
  return text;
}

}  // namespace breakwater::storm
