// Lines from one core to the log writer's thread: a bounded single-producer, single-consumer byte ring.
//
// A line goes in whole or not at all (then it is counted as dropped): a slow disk never stalls a core.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace breakwater {

class LogRing {
 public:
  explicit LogRing(size_t bytes_power_of_two);
  // The core's thread. False: no room.
  bool push(std::string_view line) noexcept;
  // The writer's thread: hands at most two stretches of bytes to `take`(data, bytes), then frees them.
  // Returns bytes.
  template <typename Take>
  size_t drain(Take take) {
    const uint64_t from = read_.load(std::memory_order_relaxed);
    const uint64_t to = written_.load(std::memory_order_acquire);
    const size_t bytes = static_cast<size_t>(to - from);
    if (bytes == 0) return 0;
    const size_t start = static_cast<size_t>(from) & mask_;
    const size_t first = bytes < mask_ + 1 - start ? bytes : mask_ + 1 - start;
    take(memory_.get() + start, first);
    if (first < bytes) take(memory_.get(), bytes - first);
    read_.store(to, std::memory_order_release);
    return bytes;
  }

 private:
  size_t mask_;
  std::unique_ptr<char[]> memory_;
  alignas(64) std::atomic<uint64_t> written_{0};
  alignas(64) std::atomic<uint64_t> read_{0};
};

}  // namespace breakwater
