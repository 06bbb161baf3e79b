#include "sim/leftovers.h"

#include <string>

#include "sim/verdict.h"

namespace breakwater::sim {

void check_leftovers(Core& core, const Stats& stats) {
  const auto zero = [](const Count& gauge, const char* what) {
    if (gauge.get() != 0) violation(std::string(what) + " is " + std::to_string(gauge.get()) + " at the end");
  };
  zero(stats.connections_open, "connections_open");
  zero(stats.exchanges_active, "exchanges_active");
  zero(stats.queue_length, "queue_length");
  zero(stats.server_connections_open, "server_connections_open");
  zero(stats.server_connections_idle, "server_connections_idle");
  zero(stats.pipes_in_use, "pipes_in_use");
  if (core.head_buffers().leased() + core.answer_buffers().leased() + core.bulk_buffers().leased() != 0)
    violation("a buffer did not come home");
}

}  // namespace breakwater::sim
