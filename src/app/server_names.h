// What operators call the servers of a pool. A name in the file may stand for several addresses, which come
// and go (proxy/server.h); each that is there has a name of its own here.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "proxy/pool.h"

namespace breakwater::app {

struct NamedServer {
  uint32_t index;
  std::string_view name;  // stays as it is for as long as any core runs
};

// Those that have an address, or had one until a moment ago.
std::vector<NamedServer> servers_of(const proxy::SharedPool& pool, int64_t now_ns);

}  // namespace breakwater::app
