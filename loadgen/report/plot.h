// A plot as SVG for a page: axes with round numbers, curves or bars, nothing that has to be loaded and no
// script. Its colours are classes that the page's style gives (page.h). What it says stands as text in it
// too, for who can't see it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace breakwater::storm {

struct Tick {
  double at;
  std::string label;
};

struct Axis {
  bool is_log = false;
  double low = 0, high = 1;  // log: above 0
  std::vector<Tick> ticks;
};

using Label = std::string (*)(double);

// From 0 to the next round number from `high`; some five ticks.
Axis linear_axis(double high, Label label);
// From the power of ten or its 2 or 5 below `low` to the one above `high`; both above 0.
Axis log_axis(double low, double high, Label label);

struct Curve {
  std::string name;
  uint32_t colour = 0;  // 0 to colours - 1; `failure_colour`
  struct Point {
    double x, y;
    bool is_there = true;  // false: a gap
  };
  std::vector<Point> points;
};
inline constexpr uint32_t colours = 8, failure_colour = 8;

struct Bar {
  double from, to, height;
};

struct Plot {
  std::string id;  // of the page's elements; letters
  std::string title, description;
  std::string x_label;
  Axis x, y;
  std::vector<Curve> curves;
  std::vector<Bar> bars;
};

// A figure with its caption, and a legend where there are several curves.
std::string plot_html(const Plot& plot);

}  // namespace breakwater::storm
