#include "report/html_plots.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "report/hdr_text.h"
#include "report/plot.h"
#include "report/summary.h"

namespace breakwater::storm {

namespace {

// More points than that are not told apart on a screen: seconds are put together then.
constexpr size_t points_max = 300;
// Failures of several classes jump between nothing and a few, each across the others.
constexpr size_t failure_points_max = 60;

std::string plain_label(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", value);
}

std::string time_label(double us) {
  if (us >= 1e6) return fmt::format("{:g} s", us / 1e6);
  if (us >= 1e3) return fmt::format("{:g} ms", us / 1e3);
  return fmt::format("{:g} us", us);
}

std::string bytes_label(double bytes) {
  if (bytes >= 1e9) return fmt::format("{:g} GB", bytes / 1e9);
  if (bytes >= 1e6) return fmt::format("{:g} MB", bytes / 1e6);
  if (bytes >= 1e3) return fmt::format("{:g} kB", bytes / 1e3);
  return fmt::format("{:g} B", bytes);
}

std::string share_label(double value) {
  return fmt::format("{:g} %", value);
}

// The series as it is plotted.
struct Rows {
  std::vector<SecondCounts> rows;
  double seconds = 1;  // of each
  double at(size_t i) const { return static_cast<double>(i) * seconds; }
};

Rows rows_of(const Results& results, size_t most) {
  const size_t step = std::max<size_t>((results.series.size() + most - 1) / most, 1);
  Rows rows;
  rows.rows.resize((results.series.size() + step - 1) / step);
  rows.seconds = static_cast<double>(step) * results.row_seconds;
  for (size_t i = 0; i < results.series.size(); ++i) rows.rows[i / step].add(results.series[i]);
  return rows;
}

Axis time_axis(const Rows& rows) {
  const double last = rows.rows.empty() ? 1 : rows.at(rows.rows.size() - 1);
  Axis axis = linear_axis(std::max(last, 1.0), plain_label);
  axis.high = std::max(last, 1.0);  // the curves end at the edge, whatever the ticks are
  std::erase_if(axis.ticks, [&](const Tick& tick) { return tick.at > axis.high; });
  return axis;
}

template <typename Value>
Curve curve_of(std::string name, uint32_t colour, const Rows& rows, Value value) {
  Curve curve{.name = std::move(name), .colour = colour, .points = {}};
  for (size_t i = 0; i < rows.rows.size(); ++i)
    curve.points.push_back({rows.at(i), value(rows.rows[i]), true});
  return curve;
}

double highest(const std::vector<Curve>& curves) {
  double high = 0;
  for (const Curve& curve : curves)
    for (const Curve::Point& point : curve.points)
      if (point.is_there) high = std::max(high, point.y);
  return high;
}

double lowest(const std::vector<Curve>& curves) {
  double low = INFINITY;
  for (const Curve& curve : curves)
    for (const Curve::Point& point : curve.points)
      if (point.is_there) low = std::min(low, point.y);
  return low;
}

Plot over_time(std::string id, std::string title, const Rows& rows) {
  Plot plot;
  plot.id = std::move(id);
  plot.title = std::move(title);
  plot.x_label = "seconds since the start";
  plot.x = time_axis(rows);
  return plot;
}

Plot throughput(const Rows& rows) {
  Plot plot = over_time("throughput", "Operations a second", rows);
  plot.curves.push_back(
      curve_of("begun", 2, rows, [&](const SecondCounts& row) { return row.begun / rows.seconds; }));
  plot.curves.push_back(curve_of("went well", 0, rows, [&](const SecondCounts& row) {
    return (row.ended - row.failed) / rows.seconds;
  }));
  plot.curves.push_back(curve_of("failed", failure_colour, rows,
                                 [&](const SecondCounts& row) { return row.failed / rows.seconds; }));
  plot.y = linear_axis(highest(plot.curves), plain_label);
  plot.description =
      fmt::format("At most {:.1f} operations a second began, went well or failed.", highest(plot.curves));
  return plot;
}

Plot bytes(const Rows& rows) {
  Plot plot = over_time("bytes", "Bytes received a second", rows);
  plot.curves.push_back(curve_of("received", 0, rows, [&](const SecondCounts& row) {
    return static_cast<double>(row.bytes_received) / rows.seconds;
  }));
  plot.y = linear_axis(highest(plot.curves), bytes_label);
  plot.description =
      fmt::format("At most {} a second.", bytes_text(static_cast<uint64_t>(highest(plot.curves))));
  return plot;
}

Plot latency_over_time(const Rows& rows) {
  Plot plot = over_time("latency", "Latency of what went well, by when it ended", rows);
  const auto percentile = [&](const char* name, uint32_t colour, double quantile) {
    Curve curve = curve_of(name, colour, rows, [&](const SecondCounts& row) {
      return std::max(static_cast<double>(row.latency.us_at(quantile)), 1.0);
    });
    for (size_t i = 0; i < rows.rows.size(); ++i)
      curve.points[i].is_there = rows.rows[i].ended > rows.rows[i].failed;
    plot.curves.push_back(std::move(curve));
  };
  percentile("p50", 2, 0.5);
  percentile("p90", 1, 0.9);
  percentile("p99", 0, 0.99);
  percentile("max", 3, 1);
  plot.y = log_axis(lowest(plot.curves), highest(plot.curves), time_label);
  plot.description =
      fmt::format("Percentiles from {} to {}.", time_text(static_cast<uint64_t>(lowest(plot.curves))),
                  time_text(static_cast<uint64_t>(highest(plot.curves))));
  return plot;
}

Plot failures_over_time(const Rows& rows, const OperationCounts& all) {
  Plot plot = over_time("failures", "Failures a second, by class", rows);
  for (uint8_t each = 1; each < failures; ++each) {
    if (all.by_failure[each] == 0) continue;
    const auto colour = static_cast<uint32_t>(plot.curves.size() % colours);
    plot.curves.push_back(
        curve_of(std::string(name(static_cast<Failure>(each))), colour, rows,
                 [&](const SecondCounts& row) { return row.by_failure[each] / rows.seconds; }));
  }
  plot.y = linear_axis(highest(plot.curves), plain_label);
  plot.description = "How many there were of each class is in the table of failures below.";
  return plot;
}

// Percentiles on an axis on which each further nine has the same room.
Curve distribution_of(const std::string& name, uint32_t colour, const Latencies& latencies) {
  Curve curve{.name = name, .colour = colour, .points = {}};
  const auto total = static_cast<double>(latencies.count());
  uint64_t seen = 0;
  for (const BucketCount& each : bucket_counts(*latencies.histogram())) {
    const double us =
        static_cast<double>(std::min(Histogram::Layout::highest_of(each.bucket), latencies.max_us()));
    const double above = total / (total - static_cast<double>(seen));
    curve.points.push_back({above, std::max(us, 1.0), true});
    seen += each.count;
  }
  curve.points.push_back({total, std::max(static_cast<double>(latencies.max_us()), 1.0), true});
  return curve;
}

Plot distribution(const Report& report) {
  Plot plot;
  plot.id = "distribution";
  plot.title = "Latency by percentile";
  plot.x_label = "percentile";
  double most = 10;
  for (size_t i = 0; i < report.operations.size(); ++i) {
    const Latencies& latencies = report.results.operations[i].latency;
    if (latencies.count() == 0) continue;
    plot.curves.push_back(
        distribution_of(report.operations[i], static_cast<uint32_t>(i % colours), latencies));
    most = std::max(most, static_cast<double>(latencies.count()));
  }
  plot.x = {.is_log = true, .low = 1, .high = most, .ticks = {{1, "0"}, {2, "50"}}};
  constexpr const char* nines[] = {"90", "99", "99.9", "99.99", "99.999", "99.9999"};
  double at = 10;
  for (const char* const label : nines) {
    if (at <= most) plot.x.ticks.push_back({at, label});
    at *= 10;
  }
  plot.y = log_axis(lowest(plot.curves), highest(plot.curves), time_label);
  plot.description = "The figures are in the tables of the operations below.";
  return plot;
}

// Eight bars to a power of two would be a comb where there are few operations; four are not.
constexpr unsigned bar_bits = 2;

Plot histogram(const Latencies& latencies) {
  using Layout = LogLinear<bar_bits>;
  std::vector<uint64_t> counts(Layout::buckets);
  for (const BucketCount& each : bucket_counts(*latencies.histogram()))
    counts[Layout::bucket_of(Histogram::Layout::highest_of(each.bucket))] += each.count;
  Plot plot;
  plot.id = "histogram";
  plot.title = "Share of operations by latency";
  plot.x_label = "latency";
  double from = INFINITY, to = 0, most = 0;
  for (size_t bucket = 1; bucket < counts.size(); ++bucket) {
    if (counts[bucket] == 0) continue;
    const double low = static_cast<double>(Layout::highest_of(bucket - 1) + 1);
    const double high = static_cast<double>(Layout::highest_of(bucket)) + 1;
    const double share = 100 * static_cast<double>(counts[bucket]) / static_cast<double>(latencies.count());
    plot.bars.push_back({low, high, share});
    from = std::min(from, low);
    to = std::max(to, high);
    most = std::max(most, share);
  }
  if (plot.bars.empty()) from = 1, to = 10;
  plot.x = log_axis(from, to, time_label);
  plot.y = linear_axis(most, share_label);
  plot.description = fmt::format("Most have between {} and {}.", time_text(latencies.us_at(0.25)),
                                 time_text(latencies.us_at(0.75)));
  return plot;
}

}  // namespace

std::string plots_html(const Report& report) {
  const Results& results = report.results;
  const Rows rows = rows_of(results, points_max);
  if (rows.rows.empty()) return {};
  std::string text = "<div class=\"grid2\">\n" + plot_html(throughput(rows));
  if (results.all.latency.count() > 0) text += plot_html(latency_over_time(rows));
  if (counts_http(report.facts)) text += plot_html(bytes(rows));
  if (results.all.latency.count() > 0)
    text += plot_html(distribution(report)) + plot_html(histogram(results.all.latency));
  if (results.all.failed() > 0)
    text += plot_html(failures_over_time(rows_of(results, failure_points_max), results.all));
  return text + "</div>\n";
}

}  // namespace breakwater::storm
