#include "app/descriptors.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "proxy/limits.h"

namespace breakwater::app {

namespace {

constexpr uint64_t per_connection = 2;  // the client's and the server's
constexpr uint64_t per_pipe = 2;
constexpr uint64_t reserve = 64 + proxy::refusals_max;
constexpr uint64_t at_least = 32;

uint64_t beside_connections(const config::Limits& limits) {
  return per_pipe * limits.pipes + reserve;
}

}  // namespace

bool open_standard_descriptors() noexcept {
  // Those below are open by then, so that what is opened gets the lowest number that is free: this one.
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) return false;
  return true;
}

uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return RLIM_INFINITY;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : RLIM_INFINITY;
}

uint32_t connections_that_fit(const config::Limits& limits, uint32_t cores, uint64_t descriptors) {
  const uint64_t per_core = descriptors / cores;
  const uint64_t beside = beside_connections(limits);
  const uint64_t rest = std::max(per_core > beside ? per_core - beside : 0, at_least);
  return static_cast<uint32_t>(std::min<uint64_t>(limits.connections, rest / per_connection));
}

std::string few_connections_warning(const config::Limits& limits, uint32_t cores, uint64_t descriptors) {
  const uint32_t fit = connections_that_fit(limits, cores, descriptors);
  if (fit >= (limits.connections + 1) / 2) return "";
  const uint64_t wanted = cores * (per_connection * limits.connections + beside_connections(limits));
  return fmt::format(
      "each core takes {} client connections at most, and not {} as configured: this process may have {} "
      "descriptors, and {} with {} pipes each would need {}; raise the hard limit (LimitNOFILE= of a systemd "
      "unit, `ulimit -Hn` of a shell), or lower `connections` and `pipes` in [limits]",
      fit, limits.connections, descriptors, cores == 1 ? "a core" : fmt::format("{} cores", cores),
      limits.pipes, wanted);
}

}  // namespace breakwater::app
