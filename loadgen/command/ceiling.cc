#include "command/ceiling.h"

#include "plan/peak_rate.h"
#include "plan/rate.h"

namespace breakwater::storm {

std::string why_not_allowed(const StormOptions& options, const Scenario& scenario) {
  if (options.allow_target.empty()) return {};
  if (options.allow_target != scenario.target.host)
    return "--allow-target names another host than the URL, " + scenario.target.host;
  const double ceiling = parse_rate(options.max_rate).value_or(0);
  if (ceiling == 0 && !options.max_rate.empty())
    return "--max-rate: '" + options.max_rate + "' is no rate: write 50/s, 120/m or 3000/h";
  if (ceiling == 0 || options.max_runners == 0)
    return "--allow-target needs a ceiling: --max-rate 50/s and --max-runners 100";
  const double peak = peak_rate(scenario);
  if (peak > ceiling)
    return "up to " + rate_text(peak) + " operations would begin, above --max-rate " + options.max_rate;
  if (scenario.runners.count > options.max_runners)
    return "there are " + std::to_string(scenario.runners.count) + " runners, above --max-runners " +
           std::to_string(options.max_runners);
  return {};
}

}  // namespace breakwater::storm
