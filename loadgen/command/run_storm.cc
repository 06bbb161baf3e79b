#include "command/run_storm.h"

#include <sys/resource.h>

#include <algorithm>
#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "base/second.h"
#include "client/git_driver.h"
#include "client/pack_inspector.h"
#include "client/site.h"
#include "client/storm_threads.h"
#include "command/plan_text.h"
#include "command/say.h"
#include "command/watch.h"
#include "command/write_report.h"
#include "measure/results.h"
#include "plan/arrivals.h"
#include "report/run_facts.h"
#include "report/summary.h"
#include "ring/sys.h"

namespace breakwater::storm {

namespace {

int refuse(std::string_view sentence) {
  complain_of(std::string(sentence) + "; nothing was begun");
  return 2;
}

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

// 127.0.0.0/8, ::1, and ::ffff:127.0.0.0/104.
bool is_this_machine(const Address& address) {
  const std::string_view ip = address.ip_bytes();
  if (ip.size() == 4) return ip[0] == 127;
  static constexpr std::string_view loopback("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
  static constexpr std::string_view mapped("\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f", 13);
  return ip == loopback || ip.starts_with(mapped);
}

}  // namespace

int run_storm(const CommandLine& line) {
  const Scenario& scenario = line.scenario;
  const std::expected<std::vector<Arrival>, std::string> arrivals = plan_arrivals(scenario);
  if (!arrivals) return refuse(arrivals.error());
  const std::expected<std::vector<Condition>, std::string> conditions = read_conditions(line.forms, scenario);
  if (!conditions) {
    complain(conditions.error());
    return refuse("what it is judged by can't be read");
  }
  if (line.is_dry) {
    say(plan_text(scenario, *arrivals));
    return 0;
  }
  std::expected<ReportFiles, std::string> files = ReportFiles::open(line.forms);
  if (!files) return refuse(files.error());
  const Signals signals;
  const std::expected<Site, std::string> site = make_site(scenario.target);
  if (!site) return refuse(site.error());
  if (!line.allows_target && !is_this_machine(site->address))
    return refuse(scenario.target.host +
                  " is another machine. If its owners know of this storm, say so: --allow-target " +
                  scenario.target.host + " --max-rate 50/s --max-runners 100");
  std::expected<std::unique_ptr<PackInspector>, std::string> inspector = PackInspector::make();
  if (!inspector) complain("no pack is unpacked by git: " + inspector.error() + "\n");

  std::unique_ptr<GitDriver> git;
  if (scenario.driver == Driver::git) {
    std::expected<std::unique_ptr<GitDriver>, std::string> made = GitDriver::make(scenario, *site);
    if (!made) return refuse(made.error());
    git = std::move(*made);
  }

  RunFacts facts = facts_of_this_run(scenario, arrivals->size());
  StormThreads threads({.scenario = scenario,
                        .arrivals = *arrivals,
                        .site = *site,
                        .inspector = inspector ? inspector->get() : nullptr,
                        .git = git.get()});
  const std::string why = threads.open();
  if (!why.empty()) return refuse(why);
  const double cpu_before = cpu_seconds();
  threads.begin();
  const std::optional<double> broken_off = watch(threads, signals, scenario, arrivals->size());
  threads.join();
  const double elapsed = static_cast<double>(sys::monotonic_ns() - threads.start_ns()) / second_ns;
  const Effort effort{.cpu_seconds = cpu_seconds() - cpu_before,
                      .elapsed_seconds = elapsed,
                      .cores = scenario.cores,
                      .broken_off_seconds = broken_off};
  const Report report =
      make_report(scenario, std::move(facts), gather(scenario, threads.collectors(), effort));
  say(summary(report));
  const bool is_written = files->write(report);
  const bool has_passed = passes(*conditions, report);
  // Who says by a condition how many failures are too many means those; else any is.
  const bool any_is_too_many = std::ranges::none_of(
      *conditions, [](const Condition& each) { return each.figure == Condition::Figure::failed; });
  const bool is_well = has_passed && (!any_is_too_many || report.results.all.failed() == 0);
  return report.results.is_valid() && is_well && is_written ? 0 : 1;
}

}  // namespace breakwater::storm
