#include "report/interval_log.h"

#include <fmt/format.h>

#include "report/hdr_text.h"

namespace breakwater::storm {

namespace {

// A tag ends with a comma, a line with its end, and a reader may split at blanks.
std::string tag_of(std::string_view operation) {
  std::string tag(operation);
  for (char& c : tag)
    if (static_cast<unsigned char>(c) <= ' ' || c == ',' || c == 0x7f) c = '_';
  return tag;
}

// A comment ends with its line.
std::string in_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

void write_interval(std::string& out, uint64_t second, uint32_t seconds, const SecondCounts& row) {
  out += fmt::format("{}.000,{}.000,{:.3f},{}\n", second, seconds, row.latency_max_us / 1000.0,
                     hdr_text(bucket_counts(row.latency)));
}

}  // namespace

std::string interval_log(const Report& report) {
  const Results& results = report.results;
  std::string text;
  // Intervals are in seconds since the start.
  text += fmt::format(
      "#[{}]\n#[Histogram log format version 1.3]\n"
      "#[StartTime: {}.000 (seconds since epoch), {}]\n#[BaseTime: {}.000 (seconds since epoch)]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      in_one_line(
          fmt::format("{}: {} at {}", report.facts.program, report.facts.scenario, report.facts.target)),
      report.facts.started_unix, report.facts.started_at, report.facts.started_unix);
  for (size_t i = 0; i < results.series.size(); ++i) {
    const uint64_t second = i * results.row_seconds;
    write_interval(text, second, results.row_seconds, results.series[i]);
    if (results.series_of.size() < 2) continue;
    for (size_t operation = 0; operation < results.series_of.size(); ++operation) {
      text += fmt::format("Tag={},", tag_of(report.operations[operation]));
      write_interval(text, second, results.row_seconds, results.series_of[operation][i]);
    }
  }
  return text;
}

}  // namespace breakwater::storm
