// The cookie by which a browser's pages come from one server: which server a request names, and the cookie
// that names one. Its values are made at start-up (ServerAddress::sticky) and only compared here: nothing
// that a client sends is taken for more than one of them, or none. Pure but for the pool, which it reads.
#pragma once

#include <cstdint>
#include <string_view>

#include "proxy/head_rewrite.h"
#include "proxy/pool.h"
#include "wire/http_head.h"

namespace breakwater::proxy {

struct StickyServer {
  uint32_t index = backends::no_server;
  std::string_view value;  // stays in place for as long as any core runs
};

// Whom the request's cookies name; none if the pool has no sticky cookie, or they name none of its servers.
StickyServer sticky_server(const SharedPool& pool, const wire::Fields& fields) noexcept;

// May a client that was there before come again? Also while the server is drained.
bool keeps_clients(const backends::PoolHealth& health, uint32_t server, int64_t now_ns) noexcept;

}  // namespace breakwater::proxy
