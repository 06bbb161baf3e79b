#include "backends/places.h"

namespace breakwater::backends {

Places::Places(const std::vector<config::Server>& servers)
    : servers_(std::make_unique<Server[]>(servers.size())) {
  for (uint32_t index = 0; index < servers.size(); index++) set_limit(index, servers[index].max);
}

void Places::set_limit(uint32_t index, uint32_t limit) noexcept {
  const uint32_t before = servers_[index].limit.exchange(limit, std::memory_order_relaxed);
  if (before == 0 && limit != 0) limited_.fetch_add(1, std::memory_order_relaxed);
  if (before != 0 && limit == 0) limited_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace breakwater::backends
