#include "app/metrics.h"

#include <fmt/format.h>

#include <fstream>

#include "app/metrics_text.h"
#include "app/server_metrics.h"

namespace breakwater::app {

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

std::string metrics_text(std::span<const CoreReading> cores, const DnsReading& dns,
                         const std::deque<proxy::SharedPool>& pools, int64_t now_ns) {
  MetricsText text;
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
  write_server_metrics(text, pools, now_ns);
  return text.take();
}

}  // namespace breakwater::app
