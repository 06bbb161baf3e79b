// The text of /metrics, in OpenMetrics (https://prometheus.io/docs/specs/om): counters end in _total, the
// text ends with # EOF. docs/metrics.md lists what is in it.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "core/stats.h"
#include "proxy/pool.h"

namespace breakwater::app {

// How often a thread left its CPU: by itself because it slept, or because the kernel took it away.
struct ContextSwitches {
  uint64_t voluntary = 0;
  uint64_t involuntary = 0;
};

// From /proc, so that a core has no work with it. Nothing for a thread that is gone.
ContextSwitches context_switches(int thread_id);

// What one core says of itself, and the kernel of its thread.
struct CoreReading {
  const Stats& stats;
  ContextSwitches switches;
  uint32_t connections_limit = 0;  // of clients, that it takes at a time
};

// What the resolver says of names.
struct DnsReading {
  uint64_t queries = 0;
  uint64_t failures = 0;
  uint64_t names_failing = 0;
};

// What is known of the certificates of one listener, or of one pool.
struct CertificateReading {
  std::string table;      // of the configuration: "listen.git"
  uint64_t reads = 0;     // since the start, that were good
  uint64_t failures = 0;  // after which everything stayed as it was
  struct Expiry {
    std::string file;
    int64_t at = 0;  // seconds since 1970
  };
  std::vector<Expiry> expiries;
};

// Sums over all cores, and what is known of each server.
std::string metrics_text(std::span<const CoreReading> cores, const DnsReading& dns,
                         std::span<const CertificateReading> certificates,
                         const std::deque<proxy::SharedPool>& pools, int64_t now_ns, uint64_t log_lost = 0);

}  // namespace breakwater::app
