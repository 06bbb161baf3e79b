#include "command/plan_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/second.h"
#include "config/units.h"
#include "plan/peak_rate.h"
#include "plan/rate.h"
#include "plan/url.h"

namespace breakwater::storm {

namespace {

bool is_closed(const Arrivals& arrivals) {
  return arrivals.shape == Arrivals::Shape::closed;
}

void write_counts(std::string& out, const Scenario& scenario, const std::vector<Arrival>& arrivals) {
  std::vector<uint64_t> counts(scenario.operations.size());
  for (const Arrival& each : arrivals) counts[each.operation]++;
  for (size_t i = 0; i < counts.size(); ++i)
    out += fmt::format("  {:<20}{}\n", scenario.operations[i].name, counts[i]);
}

// Those that follow a push have no time yet.
void write_rates(std::string& out, const std::vector<Arrival>& arrivals) {
  constexpr size_t rows_max = 60, width = 50;
  std::vector<uint64_t> begun;  // in each second
  for (const Arrival& each : arrivals) {
    if (each.follows != Arrival::nobody) continue;
    const auto second = static_cast<size_t>(each.at_ns / second_ns);
    if (begun.size() <= second) begun.resize(second + 1);
    begun[second]++;
  }
  const size_t step = std::max<size_t>((begun.size() + rows_max - 1) / rows_max, 1);
  std::vector<uint64_t> rows((begun.size() + step - 1) / step);
  for (size_t i = 0; i < begun.size(); ++i) rows[i / step] += begun[i];
  const uint64_t most = rows.empty() ? 1 : std::max<uint64_t>(*std::ranges::max_element(rows), 1);
  for (size_t i = 0; i < rows.size(); ++i)
    out += fmt::format("{:6} s {:6} {}\n", i * step, rows[i], std::string(width * rows[i] / most, '#'));
}

void write_first(std::string& out, const Scenario& scenario, const std::vector<Arrival>& arrivals) {
  constexpr size_t shown_max = 10;
  out += "the first of them\n";
  for (size_t i = 0; i < std::min(arrivals.size(), shown_max); ++i) {
    const Arrival& each = arrivals[i];
    out +=
        fmt::format("  {:>10.3f} s {:<20} {} runner {}{}\n", static_cast<double>(each.at_ns) / second_ns,
                    scenario.operations[each.operation].name, scenario.target.repositories[each.repository],
                    each.runner, each.follows == Arrival::nobody ? "" : ", so long after the push");
  }
}

}  // namespace

std::string plan_in_a_line(const Scenario& scenario, const std::vector<Arrival>& arrivals) {
  const size_t repositories = scenario.target.repositories.size();
  const bool has_loop = std::ranges::any_of(scenario.arrivals, is_closed);
  const double peak = peak_rate(scenario);
  return fmt::format("{}{} operation{} of {} runner{} in {}{}, {} repositor{} at {}, seed {}\n",
                     has_loop ? "a closed loop after the first " : "", arrivals.size(),
                     arrivals.size() == 1 ? "" : "s", scenario.runners.count,
                     scenario.runners.count == 1 ? "" : "s", config::format_duration(scenario.length),
                     peak > 0 ? ", up to " + rate_text(peak) : "", repositories,
                     repositories == 1 ? "y" : "ies", server_url(scenario.target), scenario.seed);
}

std::string plan_text(const Scenario& scenario, const std::vector<Arrival>& arrivals) {
  std::string text = fmt::format("{} operations of {} runners, seed {}\n", arrivals.size(),
                                 scenario.runners.count, scenario.seed);
  write_counts(text, scenario, arrivals);
  if (std::ranges::any_of(scenario.arrivals, is_closed))
    text += "of a closed loop only the first of each runner; the others begin when one has ended\n";
  write_rates(text, arrivals);
  write_first(text, scenario, arrivals);
  return text;
}

}  // namespace breakwater::storm
