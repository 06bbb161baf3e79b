#include "app/metrics.h"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <string_view>

namespace breakwater::app {

namespace {

class Text {
 public:
  void counter(std::string_view name, std::string_view help, uint64_t value) {
    metric(name, "counter", "_total", help, value);
  }
  void gauge(std::string_view name, std::string_view help, uint64_t value) {
    metric(name, "gauge", "", help, value);
  }
  std::string take() { return std::move(text_ += "# EOF\n"); }

 private:
  void metric(std::string_view name, std::string_view type, std::string_view suffix, std::string_view help,
              uint64_t value) {
    fmt::format_to(std::back_inserter(text_),
                   "# HELP breakwater_{0} {1}\n# TYPE breakwater_{0} {2}\nbreakwater_{0}{3} {4}\n", name,
                   help, type, suffix, value);
  }
  std::string text_;
};

}  // namespace

ContextSwitches context_switches(int thread_id) {
  ContextSwitches switches;
  std::ifstream status(fmt::format("/proc/self/task/{}/status", thread_id));
  std::string word;
  while (status >> word) {
    if (word == "voluntary_ctxt_switches:") status >> switches.voluntary;
    if (word == "nonvoluntary_ctxt_switches:") status >> switches.involuntary;
  }
  return switches;
}

std::string metrics_text(std::span<const CoreReading> cores, const DnsReading& dns) {
  Text text;
  const auto sum = [cores](Count Stats::* member) {
    uint64_t total = 0;
    for (const CoreReading& core : cores) total += (core.stats.*member).get();
    return total;
  };
  ContextSwitches switches;
  for (const CoreReading& core : cores) {
    switches.voluntary += core.switches.voluntary;
    switches.involuntary += core.switches.involuntary;
  }
#define BW_WRITE(name, help) text.counter(#name, help, sum(&Stats::name));
  BW_COUNTERS(BW_WRITE)
#undef BW_WRITE
  text.counter("context_switches_voluntary", "times a core slept and was woken", switches.voluntary);
  text.counter("context_switches_involuntary", "times the kernel took the CPU from a core",
               switches.involuntary);
  text.counter("dns_queries", "questions for the addresses of a host, or the records of a service",
               dns.queries);
  text.counter("dns_failures", "questions that no resolver answered, or not as it should", dns.failures);
#define BW_WRITE(name, help) text.gauge(#name, help, sum(&Stats::name));
  BW_GAUGES(BW_WRITE)
#undef BW_WRITE
  text.gauge("dns_names_failing", "names whose known addresses stay because no resolver answers",
             dns.names_failing);
  text.gauge("cores", "cores that serve", cores.size());
  return text.take();
}

}  // namespace breakwater::app
