// How many operations a pool takes at a time: in all, of a class, of a repository, of a client's network.
// Shared by all cores, atomics only. Pure.
//
// An operation is inside from its first request to its last; whoever let it in lets it out. Repositories and
// clients are counted in tables of fixed size by hash: with 1000 of them inside at once, one in four shares
// its place with another, and may be told of its limit early.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "backends/adaptive.h"
#include "backends/places.h"
#include "config/config.h"

namespace breakwater::backends {

enum class OperationClass : uint8_t { fetch, push, lfs, web };
inline constexpr size_t operation_classes = 4;

std::string_view name(OperationClass what) noexcept;

// Work inside an operation that is limited by itself, and lasts as long as one request of it.
enum class Part : uint8_t { none, advertisement, clone };
inline constexpr size_t parts = 3;

// The limit that keeps an operation, or a part of it, out.
enum class Limit : uint8_t {
  none,
  operations,
  fetches,
  pushes,
  lfs,
  web,
  repository,
  client,
  server,
  advertisements,
  clones,
};

// As the configuration calls it: "max_per_repository".
std::string_view name(Limit limit) noexcept;

class Admission {
 public:
  struct Ask {
    OperationClass what = OperationClass::web;
    uint64_t repository = 0;  // hashed; 0: none
    uint64_t client = 0;      // its network, hashed
  };

  explicit Admission(const config::Admission& limits);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  bool has_limits() const noexcept { return has_limits_; }
  // none: it is inside. Otherwise it is not, and nothing has changed.
  Limit enter(const Ask& ask) noexcept;
  // For what was admitted before: inside, whatever the limits say.
  void enter_anyway(const Ask& ask) noexcept { count(ask, 1); }
  void leave(const Ask& ask) noexcept { count(ask, -1); }
  // The same for a part. One that has no limit is not counted by anybody.
  bool limits(Part part) const noexcept { return limit_of(part) != 0; }
  Limit enter(Part part) noexcept;
  void enter_anyway(Part part) noexcept { of(part).fetch_add(1, std::memory_order_relaxed); }
  void leave(Part part) noexcept { of(part).fetch_sub(1, std::memory_order_relaxed); }

  // The first byte of an answer came after that wait; what adapts itself goes by it.
  void heard(Work work, int64_t wait_ns, int64_t now_ns) noexcept {
    if (adaptive_) adaptive_->heard(work, wait_ns, now_ns);
  }
  bool adapts() const noexcept { return adaptive_.has_value(); }
  // Operations in all, as of now; 0: no such limit.
  uint32_t operations_limit() const noexcept { return adaptive_ ? adaptive_->limit() : limits_.operations; }

  uint32_t inside() const noexcept { return inside_.load(std::memory_order_relaxed); }
  uint32_t inside(OperationClass what) const noexcept {
    return by_class_[static_cast<size_t>(what)].load(std::memory_order_relaxed);
  }
  uint32_t inside(Part part) const noexcept {
    return by_part_[static_cast<size_t>(part)].load(std::memory_order_relaxed);
  }

 private:
  static constexpr size_t table_entries = 4096;
  using Table = std::array<std::atomic<uint32_t>, table_entries>;
  void count(const Ask& ask, int32_t change) noexcept;
  Limit over(const Ask& ask) const noexcept;
  std::atomic<uint32_t>& of(Part part) noexcept { return by_part_[static_cast<size_t>(part)]; }
  uint32_t limit_of(Part part) const noexcept;

  const config::Admission& limits_;
  bool has_limits_;
  std::optional<Adaptive> adaptive_;  // max_operations
  std::atomic<uint32_t> inside_{0};
  std::array<std::atomic<uint32_t>, operation_classes> by_class_{};
  std::array<std::atomic<uint32_t>, parts> by_part_{};
  std::unique_ptr<Table> by_repository_;
  std::unique_ptr<Table> by_client_;
};

}  // namespace breakwater::backends
