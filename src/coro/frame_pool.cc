#include "coro/frame_pool.h"

#include <cstdlib>

#include "base/assert.h"
#include "base/reserve.h"
#include "base/thread_counts.h"

namespace breakwater {

namespace {
constexpr size_t class_of(size_t bytes) {
  return (bytes + FramePool::class_bytes - 1) / FramePool::class_bytes - 1;
}
}  // namespace

FramePool& FramePool::of_this_thread() noexcept {
  thread_local FramePool pool;
  return pool;
}

FramePool::~FramePool() {
  for (Free*& head : free_) {
    while (head != nullptr) {
      Free* const next = head->next;
      std::free(head);
      head = next;
    }
  }
}

void* FramePool::acquire(size_t bytes) {
  BW_ASSERT(bytes > 0);
  live_++;
  const size_t index = class_of(bytes);
  live_bytes_ += index < classes ? (index + 1) * class_bytes : bytes;
  if (index < classes && free_[index] != nullptr) {
    Free* const frame = free_[index];
    free_[index] = frame->next;
    return frame;
  }
  fresh_++;
  thread_counts.allocations++;
  void* const frame = reserve::allocate(index < classes ? (index + 1) * class_bytes : bytes);
  BW_ASSERT(frame != nullptr);
  return frame;
}

void FramePool::release(void* frame, size_t bytes) noexcept {
  BW_ASSERT(live_ > 0);
  live_--;
  const size_t index = class_of(bytes);
  live_bytes_ -= index < classes ? (index + 1) * class_bytes : bytes;
  if (index >= classes) {
    std::free(frame);
    return;
  }
  Free* const head = static_cast<Free*>(frame);
  head->next = free_[index];
  free_[index] = head;
}

}  // namespace breakwater
