#include "command/run_compare.h"

#include <fmt/format.h>

#include <expected>
#include <optional>
#include <utility>

#include "base/read_file.h"
#include "command/output_file.h"
#include "command/say.h"
#include "report/compare.h"
#include "report/compare_page.h"
#include "report/compare_text.h"
#include "report/read_json.h"

namespace breakwater::storm {

namespace {

std::expected<Report, std::string> read_report(const std::string& path) {
  std::string text, why;
  if (!read_file(path, report_bytes_max + 1, text, why))
    return std::unexpected(path + " can't be read: " + why);
  if (text.size() > report_bytes_max) return std::unexpected(path + " is too large");
  std::expected<Report, std::string> report = read_json_report(text);
  if (!report) return std::unexpected(path + " is no report: " + report.error());
  return report;
}

int cant_compare(std::string_view sentence) {
  complain_of(sentence);
  return 2;
}

}  // namespace

int run_compare(const CompareAsked& asked) {
  const std::expected<Report, std::string> a = read_report(asked.a);
  if (!a) return cant_compare(a.error());
  const std::expected<Report, std::string> b = read_report(asked.b);
  if (!b) return cant_compare(b.error());
  for (const auto& [path, report] : {std::pair(asked.a, &*a), std::pair(asked.b, &*b)})
    if (!report->results.is_valid() && !asked.allows_invalid)
      return cant_compare(fmt::format("{} is INVALID: {} (--allow-invalid compares it all the same)", path,
                                      report->results.doubts.front()));
  std::optional<OutputFile> page;
  if (!asked.html.empty()) {
    std::expected<OutputFile, std::string> file = OutputFile::open(asked.html);
    if (!file) return cant_compare(file.error());
    page.emplace(std::move(*file));
  }
  const Comparison comparison = compare({asked.a, *a}, {asked.b, *b}, {.seed = asked.seed});
  say(compare_text(comparison));
  if (page) {
    const std::string why = page->write(compare_page(comparison));
    if (!why.empty()) {
      complain_of(why);
      return 1;
    }
  }
  return asked.fails_if_worse && comparison.count(Verdict::worse) > 0 ? 1 : 0;
}

}  // namespace breakwater::storm
