// What all cores serve at this moment: asks each of them (proxy/report.h), waits for a bounded time, and
// writes what they answered as JSON.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "app/core_thread.h"
#include "proxy/pool.h"

namespace breakwater::app {

// On the admin thread only. A core that does not answer in time is named in the page.
std::string operations_page(const std::vector<std::unique_ptr<CoreThread>>& cores,
                            const std::deque<proxy::SharedPool>& pools);

}  // namespace breakwater::app
