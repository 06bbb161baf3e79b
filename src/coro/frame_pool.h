// Coroutine frames from free lists of this thread, so that a steady-state request allocates nothing.
//
// A frame is freed on the thread that made it. Frames larger than the largest class come from malloc and are
// counted. This is one of the two thread_local objects of the program: a coroutine's operator new has no
// other way to its core.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace breakwater {

class FramePool {
 public:
  static constexpr size_t class_bytes = 256;
  static constexpr size_t classes = 64;  // frames of up to 16 KiB

  ~FramePool();
  void* acquire(size_t bytes);
  void release(void* frame, size_t bytes) noexcept;

  uint64_t fresh_count() const noexcept { return fresh_; }  // frames that had to come from malloc
  uint64_t live_count() const noexcept { return live_; }
  uint64_t live_bytes() const noexcept { return live_bytes_; }  // rounded up to their classes

  static FramePool& of_this_thread() noexcept;

 private:
  struct Free {
    Free* next;
  };
  std::array<Free*, classes> free_{};
  uint64_t fresh_ = 0;
  uint64_t live_ = 0;
  uint64_t live_bytes_ = 0;
};

}  // namespace breakwater
