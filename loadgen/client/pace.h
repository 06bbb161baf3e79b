// What a runner's reading speed means for its sockets: how much it takes at once, and how much the kernel may
// keep for it. A server feels a slow reader only when the reader's kernel holds little: with the default
// buffers it would be rid of megabytes at once, whatever the rate. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace breakwater::storm {

struct Pace {
  uint64_t rate = 0;         // bytes a second; 0: as fast as they come
  size_t receive_bytes = 0;  // at most, of one receive; 0: what a buffer holds
  int socket_bytes = 0;  // for SO_RCVBUF (the kernel doubles it, for its own needs); 0: the kernel's choice

  static constexpr size_t receive_least = 4 * 1024;
  static constexpr size_t receive_most = 128 * 1024;
  static constexpr uint64_t socket_least = 4 * 1024;
  static constexpr uint64_t socket_most = 1024 * 1024;

  // Fifty receives a second, and a tenth of a second's bytes in the kernel.
  static constexpr Pace of(uint64_t rate) noexcept {
    if (rate == 0) return {};
    return {rate, static_cast<size_t>(std::clamp<uint64_t>(rate / 50, receive_least, receive_most)),
            static_cast<int>(std::clamp(rate / 10, socket_least, socket_most))};
  }
};

}  // namespace breakwater::storm
