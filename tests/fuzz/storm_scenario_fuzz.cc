// Any text as a storm's scenario: nothing crashes, every problem lies within the text and is fit to print,
// and what is taken holds what the rest of the program relies on.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "base/utf8.h"
#include "plan/peak_rate.h"
#include "plan/rate.h"
#include "plan/read_scenario.h"
#include "plan/url.h"

using namespace breakwater;
using namespace breakwater::storm;

namespace {

bool is_printable(std::string_view text) {
  while (!text.empty()) {
    const size_t bytes = utf8_character_bytes(text);
    if (bytes == 0 || (text[0] != '\n' && utf8_is_control(text.substr(0, bytes)))) return false;
    text.remove_prefix(bytes);
  }
  return true;
}

void check_problems(const config::Problems& problems, std::string_view text) {
  BW_ASSERT(!problems.empty());
  const auto lines = static_cast<uint32_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const config::Problem& problem : problems) {
    BW_ASSERT(!problem.message.empty());
    BW_ASSERT(problem.line <= lines);
    BW_ASSERT((problem.line == 0) == (problem.column == 0));
  }
  BW_ASSERT(is_printable(config::render(problems, "fuzz.toml", text, "nothing was begun")));
}

// What goes into a request as it is.
bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

void check_operation(const Operation& operation) {
  BW_ASSERT(!operation.name.empty());
  BW_ASSERT(is_plain(operation.ref) && is_plain(operation.path));
  BW_ASSERT(operation.protocol <= 2);
  BW_ASSERT(operation.weight > 0 && operation.tries > 0 && operation.commits > 0);
  BW_ASSERT(operation.retry_min <= operation.retry_max);
  BW_ASSERT(operation.stall.count() > 0);
}

void check_arrivals(const Arrivals& arrivals, const Scenario& scenario) {
  BW_ASSERT(!arrivals.operations.empty());
  for (const uint32_t operation : arrivals.operations) BW_ASSERT(operation < scenario.operations.size());
  BW_ASSERT(arrivals.start.count() >= 0 && arrivals.start < scenario.length);
  BW_ASSERT(arrivals.rate >= 0 && arrivals.rate <= rate_max);
  BW_ASSERT(arrivals.shape != Arrivals::Shape::step || arrivals.steps >= 2);
  if (arrivals.shape != Arrivals::Shape::fan_out) return;
  BW_ASSERT(arrivals.push < scenario.operations.size());
  BW_ASSERT(scenario.operations[arrivals.push].verb == Verb::push);
  BW_ASSERT(arrivals.count < scenario.runners.count);
}

void check_scenario(const ScenarioFile& file) {
  const Scenario& scenario = file.scenario;
  BW_ASSERT(!scenario.target.host.empty() && scenario.target.port != 0);
  BW_ASSERT(!scenario.target.repositories.empty());
  for (const std::string& each : scenario.target.repositories)
    BW_ASSERT(each.starts_with('/') && is_plain(each) && each.size() > 1);
  BW_ASSERT(is_plain(scenario.target.prefix) && !scenario.target.prefix.ends_with('/'));
  BW_ASSERT(scenario.target.secret.empty());
  BW_ASSERT(scenario.target.authentication == Authentication::none || !file.password_file.path.empty());
  BW_ASSERT(scenario.cores > 0 && scenario.cores <= scenario.runners.count);
  BW_ASSERT(scenario.length.count() > 0 && scenario.warm_up < scenario.length);
  BW_ASSERT(scenario.runners.slow_percent <= 100 && scenario.runners.vanish_percent <= 100);
  BW_ASSERT(!scenario.operations.empty() && !scenario.arrivals.empty());
  for (const Operation& operation : scenario.operations) check_operation(operation);
  for (const Arrivals& arrivals : scenario.arrivals) check_arrivals(arrivals, scenario);
  BW_ASSERT(peak_rate(scenario) >= 0);
}

void check_values(std::string_view text) {
  if (const auto rate = parse_rate(text)) BW_ASSERT(*rate >= 0 && *rate <= rate_max);
  Target target, again;
  if (read_server_url(text, target).empty()) {
    BW_ASSERT(read_server_url(server_url(target), again).empty());
    BW_ASSERT(again.host == target.host && again.port == target.port && again.prefix == target.prefix);
  }
  if (read_url(text, target).empty()) BW_ASSERT(target.repositories.size() == 1);
  const std::string path = read_repository(text);
  BW_ASSERT(read_repository(path) == path);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const std::string_view url : {"", "https://[::1]:8443/git"}) {
    const auto read = read_scenario(text, url);
    if (const auto* problems = std::get_if<config::Problems>(&read))
      check_problems(*problems, text);
    else
      check_scenario(std::get<ScenarioFile>(read));
  }
  check_values(text);
  return 0;
}
