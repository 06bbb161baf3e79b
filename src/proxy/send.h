// Sends a few bytes of ours whole: replies and interim heads.
#pragma once

#include <string_view>

#include "base/error.h"
#include "core/core.h"
#include "coro/task.h"
#include "tls/stream.h"

namespace breakwater::proxy {

// Suspends. Fails with timed_out when no byte could be sent for `idle_ns`. `bytes` stay in place until it
// ends.
Task<Error> send_all(Core& core, tls::Stream& stream, Side side, std::string_view bytes, int64_t idle_ns);

}  // namespace breakwater::proxy
