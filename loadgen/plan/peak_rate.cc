#include "plan/peak_rate.h"

#include <algorithm>
#include <cmath>

namespace breakwater::storm {

namespace {

using Shape = Arrivals::Shape;

// Crowds whose window is longer than the time from one to the next are there at the same time.
double rate_of_crowd(const Arrivals& of, double operations) {
  const double window = std::max(seconds(of.window), 1.0);
  if (of.every.count() == 0) return operations / window;
  return operations / window * std::ceil(window / seconds(of.every));
}

// The most that begin within a second.
double rate_of_log(const Arrivals& of) {
  const std::vector<LoggedOperation>& all = of.log.operations;
  const int64_t second_us = int64_t{10'000} * of.speed_percent;  // of the log's time
  size_t most = 0;
  for (size_t first = 0, last = 0; last < all.size(); ++last) {
    while (all[last].at_us - all[first].at_us >= second_us) ++first;
    most = std::max(most, last - first + 1);
  }
  return static_cast<double>(most);
}

double rate_of(const Arrivals& of) {
  switch (of.shape) {
    case Shape::constant:
    case Shape::poisson:
      return of.rate;
    case Shape::ramp:
    case Shape::step:
      return std::max(of.rate, of.rate_to);
    case Shape::burst:
      return rate_of_crowd(of, of.count);
    case Shape::fan_out:
      return rate_of_crowd(of, of.count + 1.0);
    case Shape::replay:
      return rate_of_log(of);
    case Shape::closed:
      break;
  }
  return 0;
}

// A burst without `every` is over with its window. A fan-out's is not: it begins with the end of a push.
Duration end_of(const Arrivals& of, const Scenario& scenario) {
  if (of.shape == Shape::burst && of.every.count() == 0)
    return of.start + std::max(of.window, Duration{1000});
  if (of.length.count() == 0 || of.shape == Shape::fan_out) return scenario.length;
  return of.start + of.length + of.window;
}

}  // namespace

// It is highest when one of them begins.
double peak_rate(const Scenario& scenario) {
  double peak = 0;
  for (const Arrivals& one : scenario.arrivals) {
    double rate = 0;
    for (const Arrivals& other : scenario.arrivals)
      if (other.start <= one.start && one.start < end_of(other, scenario)) rate += rate_of(other);
    peak = std::max(peak, rate);
  }
  return peak;
}

}  // namespace breakwater::storm
