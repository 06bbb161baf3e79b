// Which server of a pool gets the next operation. Pure: no sockets, no clock. One per core and pool.
//
// The first request of an operation goes round-robin; the requests that follow it on the same client
// connection for the same repository go to the same server (operation affinity: Git's info/refs and POSTs
// must see one state of the refs).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/assert.h"

namespace breakwater::backends {

class RoundRobin {
 public:
  // `start` differs between cores, so that they do not all begin with the first server.
  RoundRobin(uint32_t servers, uint32_t start) noexcept : servers_(servers), next_(start % servers) {
    BW_ASSERT(servers > 0);
  }
  uint32_t pick() noexcept {
    const uint32_t index = next_;
    next_ = (next_ + 1) % servers_;
    return index;
  }
  // The server to try when `index` could not be reached.
  uint32_t after(uint32_t index) const noexcept { return (index + 1) % servers_; }
  uint32_t servers() const noexcept { return servers_; }

 private:
  uint32_t servers_;
  uint32_t next_;
};

// What a client connection remembers of its last Git operation.
class Affinity {
 public:
  static constexpr uint32_t none = UINT32_MAX;
  // The server that holds this repository's operation, or none.
  uint32_t server_for(std::string_view repository) const noexcept {
    return server_ != none && hash(repository) == repository_hash_ ? server_ : none;
  }
  void remember(std::string_view repository, uint32_t server) noexcept {
    repository_hash_ = hash(repository);
    server_ = server;
  }

 private:
  // FNV-1a. A collision costs only that another repository's next operation goes to the same server.
  static uint64_t hash(std::string_view text) noexcept {
    uint64_t value = 0xcbf29ce484222325ull;
    for (const char byte : text) value = (value ^ static_cast<unsigned char>(byte)) * 0x100000001b3ull;
    return value;
  }
  uint64_t repository_hash_ = 0;
  uint32_t server_ = none;
};

}  // namespace breakwater::backends
