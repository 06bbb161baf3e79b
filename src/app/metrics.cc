#include "app/metrics.h"

#include <fmt/format.h>

#include <array>
#include <fstream>

#include "app/metrics_text.h"
#include "app/server_metrics.h"
#include "tls/fault.h"
#include "wire/http_fault.h"

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

namespace {

// A counter for each reason; the first of them is that nothing is wrong.
template <typename Reason, size_t size>
void write_reasons(MetricsText& text, std::span<const CoreReading> cores, std::string_view family,
                   std::string_view help, std::array<Count, size> Stats::* member, size_t reasons) {
  text.family(family, "counter", help);
  for (size_t reason = 1; reason < reasons; reason++) {
    uint64_t total = 0;
    for (const CoreReading& core : cores) total += (core.stats.*member)[reason].get();
    text.sample(family, "_total", {{"reason", name(static_cast<Reason>(reason))}}, total);
  }
}

void write_tls(MetricsText& text, std::span<const CoreReading> cores,
               std::span<const CertificateReading> certificates) {
  write_reasons<tls::FaultKind>(text, cores, "tls_failures",
                                "TLS of clients that failed, in the handshake or later", &Stats::tls_failures,
                                tls::fault_kinds);
  text.family("tls_certificate_reads", "counter", "times the certificates of a table were read");
  for (const CertificateReading& each : certificates)
    text.sample("tls_certificate_reads", "_total", {{"table", each.table}}, each.reads);
  text.family("tls_certificate_read_failures", "counter",
              "times they could not be used, so that those before stayed");
  for (const CertificateReading& each : certificates)
    text.sample("tls_certificate_read_failures", "_total", {{"table", each.table}}, each.failures);
  text.family("tls_certificate_expiry_seconds", "gauge", "when a certificate expires, in seconds since 1970");
  for (const CertificateReading& each : certificates)
    for (const auto& [file, at] : each.expiries)
      text.sample("tls_certificate_expiry_seconds", "", {{"table", each.table}, {"file", file}}, at);
}

}  // namespace

std::string metrics_text(std::span<const CoreReading> cores, const DnsReading& dns,
                         std::span<const CertificateReading> certificates,
                         const std::deque<proxy::SharedPool>& pools, int64_t now_ns, uint64_t log_lost) {
  MetricsText text;
  const auto sum = [cores](Count Stats::* member) {
    uint64_t total = 0;
    for (const CoreReading& core : cores) total += (core.stats.*member).get();
    return total;
  };
  ContextSwitches switches;
  uint64_t connections_limit = 0;
  for (const CoreReading& core : cores) {
    connections_limit += core.connections_limit;
    switches.voluntary += core.switches.voluntary;
    switches.involuntary += core.switches.involuntary;
  }
#define BW_WRITE(name, help) text.counter(#name, help, sum(&Stats::name));
  BW_COUNTERS(BW_WRITE)
#undef BW_WRITE
  text.counter("log_lost", "access log lines lost because the log could not be written: a full disk, say",
               log_lost);
  write_reasons<wire::Fault>(text, cores, "request_faults",
                             "requests refused or cut off because they are malformed or too large",
                             &Stats::request_faults, wire::faults);
  write_tls(text, cores, certificates);
  text.counter("context_switches_voluntary", "times a core slept and was woken", switches.voluntary);
  text.counter("context_switches_involuntary", "times the kernel took the CPU from a core",
               switches.involuntary);
  text.counter("dns_queries", "questions for the addresses of a host, or the records of a service",
               dns.queries);
  text.counter("dns_failures", "questions that no resolver answered, or not as it should", dns.failures);
#define BW_WRITE(name, help) text.gauge(#name, help, sum(&Stats::name));
  BW_GAUGES(BW_WRITE)
#undef BW_WRITE
  text.gauge("connections_limit",
             "client connections that may be open: `connections` for each core, or what descriptors allow",
             connections_limit);
  text.gauge("dns_names_failing", "names whose known addresses stay because no resolver answers",
             dns.names_failing);
  text.gauge("cores", "cores that serve", cores.size());
  write_server_metrics(text, pools, now_ns);
  return text.take();
}

}  // namespace breakwater::app
