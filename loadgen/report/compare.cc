#include "report/compare.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "base/rng.h"
#include "report/student.h"

namespace breakwater::storm {

namespace {

constexpr double error_share = 0.05;  // of all lines together
constexpr double quantiles[] = {0.5, 0.99};
// Parts have 32 buckets to a power of two; half a bucket is what an interpolated percentile may be off by.
constexpr double resolution = 1 + 0.5 / 32;

// Which parts a resample has, of one side.
using Draw = std::array<uint8_t, parts>;
using Parts = std::array<PartCounts, parts>;

struct Draws {
  std::vector<Draw> a, b;
};

std::vector<Draw> draw_parts(uint32_t resamples, Rng& rng) {
  std::vector<Draw> draws(resamples);
  for (Draw& draw : draws)
    for (uint8_t& part : draw) part = static_cast<uint8_t>(rng.next() % parts);
  return draws;
}

// What is measured in drawn parts of one side; nullopt: nothing is there.
using Statistic = std::function<std::optional<double>(const Parts&, const Draw&)>;

constexpr size_t compact_buckets = CompactLatencies::Layout::bucket_of(CompactLatencies::us_max) + 1;

// As if a bucket's latencies lay evenly in it: without that, every percentile would jump from bucket to
// bucket, and a difference of one would look certain.
double interpolated(const std::array<uint64_t, compact_buckets>& counts, uint64_t total, double quantile) {
  const double wanted = quantile * static_cast<double>(total);
  double seen = 0;
  for (size_t bucket = 0; bucket < compact_buckets; ++bucket) {
    const auto count = static_cast<double>(counts[bucket]);
    if (count > 0 && seen + count >= wanted) {
      const double low =
          bucket == 0 ? 0 : static_cast<double>(CompactLatencies::Layout::highest_of(bucket - 1) + 1);
      const double high = static_cast<double>(CompactLatencies::Layout::highest_of(bucket) + 1);
      return low + (high - low) * (wanted - seen) / count;
    }
    seen += count;
  }
  return static_cast<double>(CompactLatencies::us_max);
}

// Which of a part's latencies: those of a phase, or from the intended start.
struct Which {
  std::optional<Phase> phase;
  const CompactLatencies& of(const PartCounts& part) const {
    return phase ? part.phase[static_cast<size_t>(*phase)] : part.latency;
  }
  const Latencies& of(const OperationCounts& counts) const {
    return phase ? counts.phase[static_cast<size_t>(*phase)] : counts.latency;
  }
  std::string name() const { return phase ? std::string(storm::name(*phase)) : "latency"; }
};

Statistic quantile_statistic(Which which, double quantile) {
  return [which, quantile](const Parts& all, const Draw& draw) -> std::optional<double> {
    std::array<uint64_t, compact_buckets> counts{};
    uint64_t total = 0;
    for (const uint8_t part : draw)
      for (const CompactLatencies::Entry& each : which.of(all[part]).entries()) {
        counts[each.bucket] += each.count;
        total += each.count;
      }
    if (total == 0) return std::nullopt;
    return interpolated(counts, total, quantile);
  };
}

std::optional<double> well_statistic(const Parts& all, const Draw& draw) {
  uint64_t well = 0;
  for (const uint8_t part : draw) well += all[part].ended - all[part].failed;
  if (well == 0) return std::nullopt;
  return static_cast<double>(well);
}

std::optional<double> failures_statistic(const Parts& all, const Draw& draw) {
  uint64_t ended = 0, failed = 0;
  for (const uint8_t part : draw) {
    ended += all[part].ended;
    failed += all[part].failed;
  }
  if (ended == 0) return std::nullopt;
  return static_cast<double>(failed) / static_cast<double>(ended);
}

double log_ratio(double a, double b) {
  return std::log(b / a);
}

double difference(double a, double b) {
  return b - a;
}

// One operation, as both have it.
struct Pair {
  std::string name;
  const OperationCounts& a;
  const OperationCounts& b;
};

// The standard error of `distance` between both sides. nullopt: too many draws had nothing in them.
std::optional<double> standard_error(const Pair& pair, const Draws& draws, const Statistic& statistic,
                                     double (*distance)(double, double)) {
  double count = 0, sum = 0, squares = 0;
  for (size_t i = 0; i < draws.a.size(); ++i) {
    const std::optional<double> a = statistic(pair.a.part, draws.a[i]);
    const std::optional<double> b = statistic(pair.b.part, draws.b[i]);
    if (!a || !b) continue;
    const double value = distance(*a, *b);
    if (!std::isfinite(value)) continue;
    count++;
    sum += value;
    squares += value * value;
  }
  constexpr double share_min = 0.95;
  if (count < 2 || count < share_min * static_cast<double>(draws.a.size())) return std::nullopt;
  const double mean = sum / count;
  return std::sqrt(std::max(squares / count - mean * mean, 0.0) * count / (count - 1));
}

uint32_t parts_with_both(const Pair& pair) {
  uint32_t both = 0;
  for (size_t i = 0; i < parts; ++i) both += pair.a.part[i].ended > 0 && pair.b.part[i].ended > 0;
  return both;
}

// A line whose interval is still to be made, because that depends on how many lines there are.
struct Open {
  ComparedLine line;
  std::optional<double> error;
  uint32_t parts_used = 0;
  bool more_is_better = false;
};

void add_quantiles(const Pair& pair, const Draws& draws, Which which, std::vector<Open>& lines) {
  const Latencies& a = which.of(pair.a);
  const Latencies& b = which.of(pair.b);
  if (a.count() == 0 || b.count() == 0) return;
  for (const double quantile : quantiles) {
    Open open{.line = {}, .error = {}, .parts_used = parts_with_both(pair)};
    open.line.operation = pair.name;
    open.line.figure = fmt::format("p{:.0f} {}", quantile * 100, which.name());
    open.line.a = static_cast<double>(a.us_at(quantile));
    open.line.b = static_cast<double>(b.us_at(quantile));
    if (open.line.a == 0 || open.line.b == 0) continue;
    const double beyond = static_cast<double>(std::min(a.count(), b.count())) * (1 - quantile);
    // The quantile of 1000 is beyond_min short of a rounding.
    if (beyond > beyond_min - 1e-6)
      open.error = standard_error(pair, draws, quantile_statistic(which, quantile), log_ratio);
    lines.push_back(std::move(open));
  }
}

double counted_seconds(const Report& report) {
  return std::max(report.facts.length_seconds - report.facts.warm_up_seconds, 0.001);
}

void add_rate(const Pair& pair, double seconds_a, double seconds_b, const Draws& draws,
              std::vector<Open>& lines) {
  Open open{.line = {}, .error = {}, .parts_used = parts_with_both(pair), .more_is_better = true};
  open.line.operation = pair.name;
  open.line.figure = "rate";
  open.line.unit = ComparedLine::Unit::per_second;
  open.line.a = static_cast<double>(pair.a.by_failure[0]) / seconds_a;
  open.line.b = static_cast<double>(pair.b.by_failure[0]) / seconds_b;
  if (open.line.a == 0 || open.line.b == 0) return;
  open.error = standard_error(pair, draws, well_statistic, log_ratio);
  lines.push_back(std::move(open));
}

void add_failures(const Pair& pair, const Draws& draws, std::vector<Open>& lines) {
  if (pair.a.ended == 0 || pair.b.ended == 0) return;
  Open open{.line = {}, .error = {}, .parts_used = parts_with_both(pair)};
  open.line.operation = pair.name;
  open.line.figure = "failures";
  open.line.unit = ComparedLine::Unit::share;
  open.line.a = failed_share(pair.a);
  open.line.b = failed_share(pair.b);
  open.error = standard_error(pair, draws, failures_statistic, difference);
  lines.push_back(std::move(open));
}

ComparedLine closed(Open open, size_t lines) {
  ComparedLine& line = open.line;
  const bool is_share = line.unit == ComparedLine::Unit::share;
  line.ratio = is_share ? line.b - line.a : line.b / line.a;
  line.low = line.high = line.ratio;
  if (!open.error || open.parts_used < parts_min) {
    line.verdict = Verdict::too_few;
    return line;
  }
  const double tail = error_share / 2 / static_cast<double>(lines);
  const double reach = student_quantile(tail, open.parts_used - 1) * *open.error;
  const double finest = line.unit == ComparedLine::Unit::microseconds ? resolution : 1;
  line.low = is_share ? line.ratio - reach : line.ratio * std::exp(-reach) / finest;
  line.high = is_share ? line.ratio + reach : line.ratio * std::exp(reach) * finest;
  const double same = is_share ? 0 : 1;
  if (line.low > same) line.verdict = open.more_is_better ? Verdict::better : Verdict::worse;
  if (line.high < same) line.verdict = open.more_is_better ? Verdict::worse : Verdict::better;
  return line;
}

void remark_on_facts(const NamedReport& a, const NamedReport& b, std::vector<std::string>& remarks) {
  for (const NamedReport* const each : {&a, &b})
    for (const std::string& doubt : each->report.results.doubts)
      remarks.push_back(fmt::format("{} is INVALID: {}", each->name, doubt));
  const RunFacts& one = a.report.facts;
  const RunFacts& other = b.report.facts;
  const auto differ = [&](std::string_view what, const auto& here, const auto& there) {
    if (here != there) remarks.push_back(fmt::format("{}: {} and {}", what, here, there));
  };
  differ("not the same scenario, so what differs may be what was asked for", one.scenario_hash,
         other.scenario_hash);
  differ("not the same seed", one.seed, other.seed);
  differ("not the same CPU", fmt::format("{} x {}", one.cpus, one.cpu),
         fmt::format("{} x {}", other.cpus, other.cpu));
  differ("not the same kernel", one.kernel, other.kernel);
  differ("not the same generator", one.program, other.program);
  differ("not the same driver", one.driver, other.driver);
  differ("not as many of its threads", one.cores, other.cores);
}

std::vector<Pair> pairs_of(const NamedReport& a, const NamedReport& b, std::vector<std::string>& remarks) {
  const auto in = [](const Report& report, const std::string& name) -> const OperationCounts* {
    const auto found = std::ranges::find(report.operations, name);
    if (found == report.operations.end()) return nullptr;
    return &report.results.operations[static_cast<size_t>(found - report.operations.begin())];
  };
  std::vector<Pair> pairs;
  for (const std::string& name : a.report.operations) {
    const OperationCounts* const other = in(b.report, name);
    if (other != nullptr) pairs.push_back({name, *in(a.report, name), *other});
    if (other == nullptr) remarks.push_back(fmt::format("only {} has {}", a.name, name));
  }
  for (const std::string& name : b.report.operations)
    if (in(a.report, name) == nullptr) remarks.push_back(fmt::format("only {} has {}", b.name, name));
  return pairs;
}

}  // namespace

size_t Comparison::count(Verdict verdict) const noexcept {
  return static_cast<size_t>(std::ranges::count(lines, verdict, &ComparedLine::verdict));
}

Comparison compare(const NamedReport& a, const NamedReport& b, const CompareOptions& options) {
  Comparison comparison{.a = a.name, .b = b.name, .remarks = {}, .lines = {}};
  remark_on_facts(a, b, comparison.remarks);
  Rng rng(options.seed);
  Draws draws{.a = draw_parts(options.resamples, rng), .b = {}};
  const bool has_one_schedule = a.report.facts.scenario_hash == b.report.facts.scenario_hash &&
                                a.report.facts.seed == b.report.facts.seed;
  draws.b = has_one_schedule ? draws.a : draw_parts(options.resamples, rng);
  std::vector<Open> lines;
  for (const Pair& pair : pairs_of(a, b, comparison.remarks)) {
    add_quantiles(pair, draws, {}, lines);
    for (uint8_t each = 0; each < phases; ++each)
      add_quantiles(pair, draws, {static_cast<Phase>(each)}, lines);
    add_rate(pair, counted_seconds(a.report), counted_seconds(b.report), draws, lines);
    add_failures(pair, draws, lines);
  }
  for (Open& open : lines) comparison.lines.push_back(closed(std::move(open), lines.size()));
  comparison.remarks.push_back(
      "one run of each: two runs of the same can differ too, which no interval knows; repeat both before a "
      "small difference is believed");
  return comparison;
}

}  // namespace breakwater::storm
