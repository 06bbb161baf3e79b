// Pipes for splice: a bounded pool of leases that know how many bytes are in them.
//
// A pipe that comes back with bytes in it is closed, never reused: those bytes belong to somebody. One core.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "core/stats.h"
#include "ring/sys.h"

namespace breakwater {

class PipePool;

class Pipe {
 public:
  Pipe() = default;
  Pipe(PipePool& pool, const sys::PipeEnds& ends) noexcept : pool_(&pool), ends_(ends) {}
  Pipe(Pipe&& other) noexcept
      : pool_(std::exchange(other.pool_, nullptr)), ends_(other.ends_), held_bytes_(other.held_bytes_) {}
  Pipe& operator=(Pipe&& other) noexcept;
  ~Pipe() { release(); }

  explicit operator bool() const noexcept { return pool_ != nullptr; }
  int read_end() const noexcept { return ends_.read; }
  int write_end() const noexcept { return ends_.write; }
  size_t capacity() const noexcept { return ends_.capacity; }
  size_t held_bytes() const noexcept { return held_bytes_; }
  void filled(size_t bytes) noexcept { held_bytes_ += bytes; }
  void drained(size_t bytes) noexcept { held_bytes_ -= bytes; }
  void release() noexcept;

 private:
  PipePool* pool_ = nullptr;
  sys::PipeEnds ends_;
  size_t held_bytes_ = 0;
};

class PipePool {
 public:
  PipePool(uint32_t count_max, size_t pipe_bytes, Count& in_use)
      : count_max_(count_max), pipe_bytes_(pipe_bytes), in_use_(in_use) {
    spare_.reserve(count_max);
  }
  ~PipePool();

  // An empty lease when the bound is reached or the kernel has no descriptors left: the body is copied then.
  Pipe acquire() noexcept;

 private:
  friend class Pipe;
  void put_back(const sys::PipeEnds& ends, bool clean) noexcept;

  uint32_t count_max_;
  uint32_t leased_ = 0;
  size_t pipe_bytes_;
  Count& in_use_;
  std::vector<sys::PipeEnds> spare_;
};

}  // namespace breakwater
