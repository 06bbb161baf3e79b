#include "report/run_facts.h"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <thread>

#include "base/fnv.h"

namespace breakwater::storm {

namespace {

std::string cpu_model() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    const size_t colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) return line.substr(colon + 2);
  }
  return "unknown";
}

// Empty: there is none.
std::string git_version() {
  FILE* const pipe = popen("git --version 2>/dev/null", "re");
  if (pipe == nullptr) return {};
  char line[100] = "";
  const bool has_line = fgets(line, sizeof line, pipe) != nullptr;
  pclose(pipe);
  std::string version(has_line ? line : "");
  while (version.ends_with('\n')) version.pop_back();
  return version;
}

std::string utc(time_t time) {
  tm parts{};
  gmtime_r(&time, &parts);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

bool is_open(const Scenario& scenario) {
  return std::ranges::any_of(scenario.arrivals,
                             [](const Arrivals& each) { return each.shape != Arrivals::Shape::closed; });
}

}  // namespace

RunFacts facts_of_this_run(const Scenario& scenario, uint64_t operations_planned) {
  utsname system{};
  uname(&system);
  const Target& target = scenario.target;
  const time_t now = time(nullptr);
  const bool is_v6 = target.host.find(':') != std::string::npos;
  return {.program = "stormgen " BW_VERSION,
          .driver = scenario.driver == Driver::git ? "git" : "native",
          .target = fmt::format("{}://{}{}{}:{}{}", target.tls ? "https" : "http", is_v6 ? "[" : "",
                                target.host, is_v6 ? "]" : "", target.port, target.prefix),
          .repository = target.repositories.empty() ? "" : target.repositories.front(),
          .repositories = static_cast<uint32_t>(target.repositories.size()),
          .kernel = system.release,
          .cpu = cpu_model(),
          .cpus = std::thread::hardware_concurrency(),
          .started_at = utc(now),
          .started_unix = now,
          .scenario = scenario.name,
          .scenario_hash = hash_of(scenario),
          .seed = scenario.seed,
          .runners = scenario.runners.count,
          .cores = scenario.cores,
          .is_open = is_open(scenario),
          .length_seconds = seconds(scenario.length),
          .warm_up_seconds = seconds(scenario.warm_up),
          .operations_planned = operations_planned,
          .git = git_version()};
}

std::string hash_of(const Scenario& scenario) {
  uint64_t hash = fnv_begin;
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = fnv_add(hash, c);
  };
  for (const std::string& each : scenario.target.repositories) add(each + "\n");
  const Runners& runners = scenario.runners;
  add(fmt::format("{} {} {} {} {} {} {}\n", runners.count, runners.download, runners.think.count(),
                  runners.slow_percent, runners.slow_download, runners.vanish_percent,
                  runners.connections_max));
  for (const Operation& each : scenario.operations)
    add(fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} {}\n", each.name, int(each.verb),
                    int(each.client), each.protocol, each.depth, each.blobless, each.lazy_objects, each.ref,
                    each.path, each.commits, each.bytes, each.weight, each.tries, each.retry_min.count(),
                    each.retry_max.count(), each.timeout.count(), each.stall.count()));
  for (const Arrivals& each : scenario.arrivals) {
    add(fmt::format("{} {} {} {} {} {} {} {} {} {} {}\n", int(each.shape), each.start.count(),
                    each.length.count(), each.rate, each.rate_to, each.steps, each.count, each.window.count(),
                    each.every.count(), each.push, each.speed_percent));
    for (const std::string& repository : each.log.repositories) add(repository + "\n");
    for (const LoggedOperation& logged : each.log.operations)
      add(fmt::format("{} {} {} ", logged.at_us, int(logged.kind), logged.repository));
    for (const uint32_t operation : each.operations) add(fmt::format("{} ", operation));
  }
  add(fmt::format("{} {} {}", scenario.length.count(), scenario.grace.count(), scenario.warm_up.count()));
  return fmt::format("{:016x}", hash);
}

}  // namespace breakwater::storm
