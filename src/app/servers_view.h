// Pools and servers as operators see them, in JSON (docs/admin.md has every field).
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "app/server_names.h"
#include "proxy/pool.h"

namespace breakwater::app {

// What is asked about, and when it is asked, in ns of the monotonic clock.
struct Moment {
  int64_t now_ns;
  int64_t started_ns;  // of the process
};

nlohmann::ordered_json server_row(const proxy::SharedPool& pool, const NamedServer& server,
                                  const Moment& moment);
std::string servers_page(const std::deque<proxy::SharedPool>& pools, const Moment& moment);

// How JSON is written: indented, and with bytes that are no UTF-8 replaced. Ends with a newline.
std::string text_of(const nlohmann::ordered_json& json);

}  // namespace breakwater::app
