#include "report/csv.h"

#include <fmt/format.h>

namespace breakwater::storm {

namespace {

std::string field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void write_row(std::string& out, uint64_t second, std::string_view operation, const SecondCounts& row) {
  const uint64_t well = row.ended - row.failed;
  out += fmt::format("{},{},{},{},{},{},{},", second, operation, row.begun, row.ended, row.failed,
                     row.bytes_received, row.bytes_sent);
  // A second in which nothing went well has no latency, and 0 would be a very good one.
  if (well == 0)
    out += ",,,,";
  else
    out += fmt::format("{},{},{},{},{}", row.latency_sum_us / well, row.latency.us_at(0.5),
                       row.latency.us_at(0.9), row.latency.us_at(0.99), row.latency_max_us);
  for (uint8_t each = 1; each < failures; ++each) out += fmt::format(",{}", row.by_failure[each]);
  out += "\r\n";
}

}  // namespace

std::string csv_report(const Report& report) {
  const Results& results = report.results;
  std::string text =
      "second,operation,begun,ended,failed,bytes_received,bytes_sent,latency_mean_us,latency_p50_us,"
      "latency_p90_us,latency_p99_us,latency_max_us";
  for (uint8_t each = 1; each < failures; ++each)
    text += fmt::format(",failed_{}", name(static_cast<Failure>(each)));
  text += "\r\n";
  for (size_t i = 0; i < results.series.size(); ++i)
    for (size_t operation = 0; operation < results.series_of.size(); ++operation)
      write_row(text, i * results.row_seconds, field(report.operations[operation]),
                results.series_of[operation][i]);
  return text;
}

}  // namespace breakwater::storm
