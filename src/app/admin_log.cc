#include "app/admin_log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

#include "ring/sys.h"

namespace breakwater::app {

void AdminLog::write(const AdminChange& change) {
  const int64_t us = sys::realtime_ns() / 1000;
  const std::time_t second = us / 1'000'000;
  nlohmann::ordered_json line;
  line["time"] = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(second), us % 1'000'000);
  line["event"] = "admin";
  line["who"] = change.who;
  line["pool"] = change.pool;
  line["server"] = change.server;
  line["what"] = change.what;
  line["from"] = change.from;
  line["to"] = change.to;
  ring_.push(line.dump() + "\n");
  writer_.signal();
  std::fprintf(stderr, "admin: %s\n",
               fmt::format("{}: {} of {}/{}: {} -> {}", change.who, change.what, change.pool, change.server,
                           change.from, change.to)
                   .c_str());
}

}  // namespace breakwater::app
