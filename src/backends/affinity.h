// Which server holds a Git operation: info/refs and the POSTs behind it must see one state of the refs.
//
// A client connection remembers its own last one. Git may use several connections for one operation, so the
// pool's table remembers, for all cores, where a client's last info/refs of a repository went. It is only
// asked where the connection itself knows nothing, and for a POST: a new operation is balanced anew.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "backends/balancer.h"

namespace breakwater::backends {

// Not for secrets, but spread well. `fold`: letters of both cases are the same.
uint64_t hash(std::string_view text, bool fold, uint64_t seed = 0) noexcept;

// What a client connection remembers of its last Git operation.
class Affinity {
 public:
  // The server that holds this repository's operation, or no_server. `pool`: of the same pool only.
  uint32_t server_for(uint32_t pool, uint64_t repository) const noexcept {
    return server_ != no_server && pool == pool_ && repository == repository_ ? server_ : no_server;
  }
  void remember(uint32_t pool, uint64_t repository, uint32_t server) noexcept {
    repository_ = repository;
    pool_ = pool;
    server_ = server;
  }

 private:
  uint64_t repository_ = 0;
  uint32_t pool_ = 0;
  uint32_t server_ = no_server;
};

// Shared by all cores. Fixed in size: an entry is one word, and a newer one takes its place.
class AffinityTable {
 public:
  static constexpr size_t entries = 8192;
  static constexpr int64_t lifetime_ns = 30'000'000'000;

  AffinityTable() : table_(std::make_unique<std::array<std::atomic<uint64_t>, entries>>()) {}
  // `key` is of the pool, the client and the repository.
  void remember(uint64_t key, uint32_t server, int64_t now_ns) noexcept;
  uint32_t server_for(uint64_t key, int64_t now_ns) const noexcept;  // or no_server

 private:
  // 32 bits of the key, 24 of the second, 8 of the server.
  std::unique_ptr<std::array<std::atomic<uint64_t>, entries>> table_;
};

}  // namespace breakwater::backends
