#include "report/plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/page.h"

namespace breakwater::storm {

namespace {

// In units of the view box; the page scales it.
constexpr double width = 640, height = 260, left = 66, right = 14, top = 12, bottom = 42;

double share_of(const Axis& axis, double value) {
  const double share = axis.is_log
                           ? std::log(std::max(value, axis.low) / axis.low) / std::log(axis.high / axis.low)
                           : (value - axis.low) / (axis.high - axis.low);
  return std::clamp(share, 0.0, 1.0);
}

double x_of(const Plot& plot, double value) {
  return left + share_of(plot.x, value) * (width - left - right);
}

double y_of(const Plot& plot, double value) {
  return height - bottom - share_of(plot.y, value) * (height - top - bottom);
}

// 1, 2 or 5 times a power of ten, not below.
double round_up(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (value <= factor * power * (1 + 1e-9)) return factor * power;
  return 10 * power;
}

double round_down(double value) {
  const double power = std::pow(10, std::floor(std::log10(value)));
  for (const double factor : {5.0, 2.0})
    if (value >= factor * power * (1 - 1e-9)) return factor * power;
  return power;
}

void write_axes(std::string& out, const Plot& plot) {
  for (const Tick& tick : plot.y.ticks) {
    const double y = y_of(plot, tick.at);
    out += fmt::format("<path class=\"grid\" d=\"M{:.0f} {:.1f}H{:.0f}\"/>", left, y, width - right);
    out += fmt::format("<text class=\"tick\" x=\"{:.0f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
                       left - 8, y + 4, escaped(tick.label));
  }
  for (const Tick& tick : plot.x.ticks) {
    const double x = x_of(plot, tick.at);
    out += fmt::format("<path class=\"grid\" d=\"M{:.1f} {:.0f}V{:.0f}\"/>", x, height - bottom,
                       height - bottom + 4);
    // The last label would stand out of the picture.
    const bool is_last = x > width - right - 20;
    out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.0f}\" text-anchor=\"{}\">{}</text>\n",
                       is_last ? width - right + 10 : x, height - bottom + 18, is_last ? "end" : "middle",
                       escaped(tick.label));
  }
  out += fmt::format("<text class=\"tick\" x=\"{:.0f}\" y=\"{:.0f}\" text-anchor=\"middle\">{}</text>\n",
                     left + (width - left - right) / 2, height - 6, escaped(plot.x_label));
}

void write_curve(std::string& out, const Plot& plot, const Curve& curve) {
  std::string path, dots;
  bool goes_on = false;
  // A point between two gaps would be nothing but the end of a line.
  constexpr size_t dots_max = 40;
  for (const Curve::Point& point : curve.points) {
    if (point.is_there) {
      const double x = x_of(plot, point.x), y = y_of(plot, point.y);
      path += fmt::format("{}{:.1f} {:.1f}", goes_on ? "L" : "M", x, y);
      dots += fmt::format("M{:.1f} {:.1f}h0", x, y);
    }
    goes_on = point.is_there;
  }
  out += fmt::format("<path class=\"curve c{}\" d=\"{}\"/>", curve.colour, path);
  if (curve.points.size() <= dots_max)
    out += fmt::format("<path class=\"dots c{}\" d=\"{}\"/>", curve.colour, dots);
  out += "\n";
}

void write_bars(std::string& out, const Plot& plot) {
  for (const Bar& bar : plot.bars) {
    const double x = x_of(plot, bar.from), y = y_of(plot, bar.height);
    out += fmt::format("<rect class=\"bar\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>\n",
                       x, y, std::max(x_of(plot, bar.to) - x - 1, 1.0), height - bottom - y);
  }
}

void write_legend(std::string& out, const Plot& plot) {
  if (plot.curves.size() < 2) return;
  out += "<ul class=\"legend\">";
  for (const Curve& curve : plot.curves)
    out += fmt::format(
        "<li><svg width=\"28\" height=\"10\" aria-hidden=\"true\"><path class=\"curve c{}\" "
        "d=\"M1 5H27\"/></svg>{}</li>",
        curve.colour, escaped(curve.name));
  out += "</ul>\n";
}

}  // namespace

Axis linear_axis(double high, Label label) {
  Axis axis;
  const double step = round_up(std::max(high, 1e-9) / 5);
  axis.high = step * std::max(std::ceil(high / step - 1e-9), 1.0);
  const auto last = static_cast<int>(std::round(axis.high / step));
  for (int number = 0; number <= last; number++) axis.ticks.push_back({number * step, label(number * step)});
  return axis;
}

Axis log_axis(double low, double high, Label label) {
  Axis axis{.is_log = true, .low = round_down(low), .high = round_up(high), .ticks = {}};
  if (axis.high <= axis.low) axis.high = axis.low * 10;
  // Of more than three powers of ten, only those.
  const bool is_wide = axis.high / axis.low > 1001;
  double at = axis.low;
  while (at < axis.high * 1.001) {
    const bool is_power = std::abs(std::log10(at) - std::round(std::log10(at))) < 0.01;
    if (is_power || !is_wide) axis.ticks.push_back({at, label(at)});
    at = round_up(at * 1.001);
  }
  return axis;
}

std::string plot_html(const Plot& plot) {
  std::string text;
  text += fmt::format("<figure>\n<figcaption>{}</figcaption>\n", escaped(plot.title));
  write_legend(text, plot);
  text += fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {:.0f} {:.0f}\" role=\"img\" aria-labelledby=\"{}-t {}-d\">"
      "<title id=\"{}-t\">{}</title><desc id=\"{}-d\">{}</desc>\n",
      width, height, plot.id, plot.id, plot.id, escaped(plot.title), plot.id, escaped(plot.description));
  write_axes(text, plot);
  write_bars(text, plot);
  for (const Curve& curve : plot.curves) write_curve(text, plot, curve);
  text += "</svg>\n</figure>\n";
  return text;
}

}  // namespace breakwater::storm
