// The end of what we send to a client: close_notify over TLS, then, if that is asked for, the end of the
// sending side.
#pragma once

#include <cstdint>

#include "core/core.h"
#include "coro/task.h"
#include "tls/stream.h"

namespace breakwater::proxy {

// Suspends only where the kernel does the records (Stream::say_end), until the client has taken so much that
// the last of them is on its way, and for as long as it goes on taking something every `idle_ns` (0: without
// end).
Task<void> say_end(Core& core, tls::Stream& stream, int64_t idle_ns);

}  // namespace breakwater::proxy
