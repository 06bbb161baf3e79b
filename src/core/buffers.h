// Buffers that the kernel picks when bytes arrive, so that a waiting connection holds none.
//
// A BufferGroup is a provided-buffer ring of equal buffers; a Buffer is a lease of one picked buffer that
// hands itself back. Only some of the free ones are with the kernel, which picks them in turns; the others
// lie on a stack, so that it is always the same few that are used, and are in the cache. When the kernel has
// none a receive ends with ENOBUFS and whoever needs a buffer joins the waiters: that is the back-pressure,
// there is nothing to grow. HeadRoom is the small stock of buffers that we write outgoing heads into. One
// core; nothing here suspends.
//
// In front of what the kernel writes each buffer has some room (`lead`): whoever unwraps in place what came
// (tls/stream.h) needs it for what was left over of the receive before.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "base/list.h"
#include "core/stats.h"
#include "ring/ring.h"

namespace breakwater {

// Called once, from the loop, when a buffer came back.
class BufferWaiter : private ListNode {
 public:
  using Hook = void (*)(void* context);
  BufferWaiter(Hook hook, void* context) noexcept : hook_(hook), context_(context) {}
  ~BufferWaiter() { unlink(); }
  bool waiting() const noexcept { return linked(); }
  void stop() noexcept { unlink(); }

 private:
  friend class BufferGroup;
  friend class List<BufferWaiter>;
  Hook hook_;
  void* context_;
};

class BufferGroup;

class Buffer {
 public:
  Buffer() = default;
  Buffer(BufferGroup& group, uint16_t id) noexcept : group_(&group), id_(id) {}
  Buffer(Buffer&& other) noexcept : group_(std::exchange(other.group_, nullptr)), id_(other.id_) {}
  Buffer& operator=(Buffer&& other) noexcept;
  ~Buffer() { release(); }

  explicit operator bool() const noexcept { return group_ != nullptr; }
  char* data() const noexcept;    // its lead, and behind it what the kernel wrote
  size_t bytes() const noexcept;  // of both
  const BufferGroup& group() const noexcept { return *group_; }
  void release() noexcept;

 private:
  BufferGroup* group_ = nullptr;
  uint16_t id_ = 0;
};

class BufferGroup {
 public:
  // `count` is rounded up to a power of two (what the kernel takes).
  BufferGroup(Ring& ring, uint16_t id, size_t lead, size_t bytes, uint32_t count, Count& free_gauge,
              Count& waits);
  ~BufferGroup();
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;

  bool ready() const noexcept { return ready_; }  // false: the kernel refused the group
  uint16_t id() const noexcept { return id_; }
  size_t lead() const noexcept { return lead_; }
  size_t bytes() const noexcept { return bytes_; }  // that the kernel may write, behind the lead
  uint32_t count() const noexcept { return count_; }
  uint32_t leased() const noexcept { return leased_; }

  Buffer take_picked(uint16_t buffer_id) noexcept;  // what a completion says the kernel picked
  Buffer lease() noexcept;  // one that the kernel does not have; empty if there is none
  char* memory_of(uint16_t buffer_id) noexcept { return memory_ + buffer_id * stride(); }  // from the lead on
  void wait(BufferWaiter& waiter) noexcept;
  // Wakes as many waiters as there are free buffers. Called by the loop, in every turn: a waiter that was
  // woken may have no use for its buffer yet (nothing to read), and then the next one gets its chance.
  void wake() noexcept;
  // All are in use, and somebody waits for one.
  bool is_short() const noexcept { return leased_ == count_ && !waiters_.empty(); }
  bool wake_due() const noexcept { return leased_ < count_ && !waiters_.empty(); }

 private:
  friend class Buffer;
  void give_back(uint16_t buffer_id) noexcept;
  void stock_up() noexcept;
  size_t stride() const noexcept { return lead_ + bytes_; }

  Ring& ring_;
  Count& free_gauge_;
  Count& waits_;
  char* memory_ = nullptr;
  size_t lead_;
  size_t bytes_;
  uint32_t count_;
  uint32_t leased_ = 0;
  uint32_t stock_max_;          // with the kernel at once
  uint32_t stock_ = 0;          // with the kernel
  std::vector<uint16_t> free_;  // not with the kernel
  uint16_t id_;
  bool ready_ = false;
  List<BufferWaiter> waiters_;
};

// A bounded stock of equal blocks for outgoing heads. acquire() gives an empty lease when none is left.
class HeadRoom {
 public:
  HeadRoom(size_t bytes, uint32_t count);
  ~HeadRoom();

  class Lease {
   public:
    Lease() = default;
    Lease(HeadRoom& room, char* block) noexcept : room_(&room), block_(block) {}
    Lease(Lease&& other) noexcept : room_(std::exchange(other.room_, nullptr)), block_(other.block_) {}
    Lease& operator=(Lease&& other) noexcept {
      release();
      room_ = std::exchange(other.room_, nullptr);
      block_ = other.block_;
      return *this;
    }
    ~Lease() { release(); }
    explicit operator bool() const noexcept { return room_ != nullptr; }
    std::span<char> span() const noexcept { return {block_, room_->bytes_}; }
    void release() noexcept {
      if (room_ != nullptr) std::exchange(room_, nullptr)->free_.push_back(block_);
    }

   private:
    HeadRoom* room_ = nullptr;
    char* block_ = nullptr;
  };

  Lease acquire() noexcept {
    if (free_.empty()) return {};
    char* const block = free_.back();
    free_.pop_back();
    return {*this, block};
  }

 private:
  size_t bytes_;
  uint32_t count_;
  char* memory_;
  std::vector<char*> free_;
};

}  // namespace breakwater
