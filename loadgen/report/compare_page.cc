#include "report/compare_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/compare_text.h"
#include "report/page.h"

namespace breakwater::storm {

namespace {

// Ratios from a quarter to four times have room; the rest ends at the edge.
constexpr double picture_width = 200, ratio_max = 4;

double x_of(double ratio) {
  const double share = std::log(std::clamp(ratio, 1 / ratio_max, ratio_max)) / std::log(ratio_max);
  return picture_width / 2 * (1 + share * 0.93);
}

std::string_view class_of(const ComparedLine& line) {
  if (line.verdict == Verdict::better) return "better";
  return line.verdict == Verdict::worse ? "worse" : "quiet";
}

// The interval beside the line at which nothing differs. It says nothing that the text doesn't.
void write_picture(std::string& out, const ComparedLine& line) {
  if (line.unit == ComparedLine::Unit::share || line.verdict == Verdict::too_few) return;
  out += fmt::format(
      "<svg width=\"{0:.0f}\" height=\"14\" aria-hidden=\"true\"><path class=\"same\" d=\"M{1:.1f} 0V14\"/>"
      "<path class=\"interval\" d=\"M{2:.1f} 7H{3:.1f}\"/>"
      "<circle cx=\"{4:.1f}\" cy=\"7\" r=\"5\" fill=\"currentColor\"/></svg>",
      picture_width, x_of(1), x_of(line.low), x_of(line.high), x_of(line.ratio));
}

void write_line(std::string& out, const ComparedLine& line) {
  out += fmt::format("<tr><th scope=\"row\">{}</th><td>{}</td><td>{}</td><td>{}</td><td class=\"{}\">",
                     line.figure, value_text(line, line.a), value_text(line, line.b), ratio_text(line),
                     class_of(line));
  write_picture(out, line);
  out += fmt::format("</td><td class=\"{}\">{}</td></tr>\n", class_of(line), verdict_words(line));
}

void write_operations(std::string& out, const Comparison& comparison) {
  std::string_view operation;
  for (const ComparedLine& line : comparison.lines) {
    if (line.operation != operation) {
      if (!operation.empty()) out += "</tbody></table></section>\n";
      operation = line.operation;
      out += fmt::format(
          "<section class=\"card\"><h3>{}</h3>\n<table><thead><tr><th scope=\"col\">figure</th>"
          "<th scope=\"col\">A</th><th scope=\"col\">B</th><th scope=\"col\">B/A</th>"
          "<th scope=\"col\">from a quarter to four times</th><th scope=\"col\">B is</th></tr></thead>\n"
          "<tbody>\n",
          escaped(operation));
    }
    write_line(out, line);
  }
  if (!operation.empty()) out += "</tbody></table></section>\n";
}

}  // namespace

std::string compare_page(const Comparison& comparison) {
  std::string body;
  const bool is_worse = comparison.count(Verdict::worse) > 0;
  const bool is_better = comparison.count(Verdict::better) > 0;
  body += fmt::format("<h1>Two storms compared</h1>\n<p class=\"quiet\">A is {}, B is {}</p>\n",
                      escaped(comparison.a), escaped(comparison.b));
  body += fmt::format("<div class=\"verdict {}\">\n", is_worse == is_better ? "same"
                                                      : is_worse            ? "invalid"
                                                                            : "valid");
  for (const std::string& each : verdicts(comparison))
    body += fmt::format("<p><strong>{}</strong></p>\n", escaped(each));
  body += "</div>\n";
  body += "<ul class=\"quiet\">\n";
  for (const std::string& each : comparison.remarks) body += fmt::format("<li>{}</li>\n", escaped(each));
  body += "</ul>\n<h2>Operations</h2>\n<p class=\"quiet\">All intervals together hold with 95 %.</p>\n";
  write_operations(body, comparison);
  return page("Two storms compared", body);
}

}  // namespace breakwater::storm
