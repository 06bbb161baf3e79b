// What all cores serve at this moment, and what of it waits for a limit: asks each of them (proxy/report.h),
// waits for a bounded time, and writes what they answered as JSON.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "app/core_thread.h"
#include "proxy/pool.h"

namespace breakwater::app {

// On the admin thread only. A core that does not answer in time is named in the page.
std::string operations_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                            const std::deque<proxy::SharedPool>& pools);
// What waits only, in the order of its turns on each core.
std::string queue_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                       const std::deque<proxy::SharedPool>& pools);

// The network that a client ("10.1.2.3:4711", "[fd00::1]:4711") is counted with: "10.1.2.0/24", "fd00::/56".
std::string network_of(std::string_view client);

}  // namespace breakwater::app
