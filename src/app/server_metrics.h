// The part of /metrics that has a series for each pool and each server.
#pragma once

#include <cstdint>
#include <deque>

#include "app/metrics_text.h"
#include "proxy/pool.h"

namespace breakwater::app {

void write_server_metrics(MetricsText& text, const std::deque<proxy::SharedPool>& pools, int64_t now_ns);

}  // namespace breakwater::app
