#include "report/compare_text.h"

#include <fmt/format.h>

#include "report/summary.h"

namespace breakwater::storm {

namespace {

using Unit = ComparedLine::Unit;

bool has_verdict(const ComparedLine& line) {
  return line.verdict == Verdict::better || line.verdict == Verdict::worse;
}

// "B is faster: " and all that is, of one unit and one verdict. Empty: nothing is.
std::string sentence(const Comparison& comparison, Unit unit, Verdict verdict, std::string_view begin) {
  constexpr size_t named_max = 4;
  std::string text;
  size_t found = 0;
  for (const ComparedLine& line : comparison.lines) {
    if (line.unit != unit || line.verdict != verdict || ++found > named_max) continue;
    text +=
        fmt::format("{}{} {} {}", text.empty() ? "" : ", ", line.operation, line.figure, ratio_text(line));
  }
  if (found > named_max) text += fmt::format(", and {} more", found - named_max);
  return found == 0 ? "" : fmt::format("{}: {}", begin, text);
}

}  // namespace

std::string_view verdict_words(const ComparedLine& line) noexcept {
  if (line.verdict == Verdict::no_difference) return "no difference shown";
  if (line.verdict == Verdict::too_few) return "too few to say";
  const bool is_better = line.verdict == Verdict::better;
  switch (line.unit) {
    case Unit::microseconds:
      return is_better ? "faster" : "slower";
    case Unit::per_second:
      return is_better ? "more" : "fewer";
    case Unit::share:
      return is_better ? "fewer failures" : "more failures";
  }
  return {};
}

std::string value_text(const ComparedLine& line, double value) {
  switch (line.unit) {
    case Unit::microseconds:
      return time_text(static_cast<uint64_t>(value));
    case Unit::per_second:
      return fmt::format("{:.2f}/s", value);
    case Unit::share:
      return fmt::format("{:.3f} %", value * 100);
  }
  return {};
}

std::string ratio_text(const ComparedLine& line) {
  const bool has_interval = line.verdict != Verdict::too_few;
  if (line.unit != Unit::share)
    return has_interval ? fmt::format("{:.2f} [{:.2f}..{:.2f}]", line.ratio, line.low, line.high)
                        : fmt::format("{:.2f}", line.ratio);
  return has_interval ? fmt::format("{:+.2f} [{:+.2f}..{:+.2f}] points", line.ratio * 100, line.low * 100,
                                    line.high * 100)
                      : fmt::format("{:+.2f} points", line.ratio * 100);
}

std::vector<std::string> verdicts(const Comparison& comparison) {
  std::vector<std::string> all;
  const auto add = [&](Unit unit, Verdict verdict, std::string_view begin) {
    std::string text = sentence(comparison, unit, verdict, begin);
    if (!text.empty()) all.push_back(std::move(text));
  };
  add(Unit::share, Verdict::worse, "B has more failures");
  add(Unit::microseconds, Verdict::worse, "B is slower");
  add(Unit::per_second, Verdict::worse, "B does less");
  add(Unit::share, Verdict::better, "B has fewer failures");
  add(Unit::microseconds, Verdict::better, "B is faster");
  add(Unit::per_second, Verdict::better, "B does more");
  if (comparison.lines.empty())
    all.push_back("nothing that both have could be compared");
  else if (comparison.count(Verdict::too_few) == comparison.lines.size())
    all.push_back("too few operations to say anything");
  else if (all.empty())
    all.push_back("no difference that these runs can show");
  return all;
}

std::string compare_text(const Comparison& comparison) {
  std::string text;
  for (const std::string& each : verdicts(comparison)) text += fmt::format("{}\n", each);
  for (const std::string& each : comparison.remarks) text += fmt::format("  note: {}\n", each);
  text +=
      fmt::format("\nA is {}, B is {}; all intervals together hold with 95 %\n", comparison.a, comparison.b);
  std::string_view operation;
  for (const ComparedLine& line : comparison.lines) {
    if (line.operation != operation) {
      operation = line.operation;
      text += fmt::format("\n  {:<22}{:>12}{:>12}   {}\n", operation, "A", "B", "B/A");
    }
    text += fmt::format("    {:<20}{:>12}{:>12}   {:<32}{}{}\n", line.figure, value_text(line, line.a),
                        value_text(line, line.b), ratio_text(line), has_verdict(line) ? "B: " : "",
                        verdict_words(line));
  }
  return text;
}

}  // namespace breakwater::storm
