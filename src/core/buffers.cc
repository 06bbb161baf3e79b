#include "core/buffers.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>

#include "base/assert.h"

namespace breakwater {

namespace {

// More than these are hardly picked in one turn; if they are, the others wait for the next.
constexpr size_t stock_bytes = 4 * 1024 * 1024;
constexpr size_t stock_least = 16;
constexpr size_t stock_most = 128;

// Untouched pages cost nothing, so the bound may be generous.
char* map_pages(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) fatal("there is not enough memory for the configured buffers: lower [limits]");
  return static_cast<char*>(memory);
}

}  // namespace

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  group_ = std::exchange(other.group_, nullptr);
  id_ = other.id_;
  return *this;
}

char* Buffer::data() const noexcept {
  return group_->memory_of(id_);
}
size_t Buffer::bytes() const noexcept {
  return group_->stride();
}

void Buffer::release() noexcept {
  if (group_ != nullptr) std::exchange(group_, nullptr)->give_back(id_);
}

BufferGroup::BufferGroup(Ring& ring, uint16_t id, size_t lead, size_t bytes, uint32_t count,
                         Count& free_gauge, Count& waits)
    : ring_(ring),
      free_gauge_(free_gauge),
      waits_(waits),
      lead_(lead),
      bytes_(bytes),
      count_(std::bit_ceil(count)),
      id_(id) {
  memory_ = map_pages(stride() * count_);
  ready_ = ring.make_group(id, memory_ + lead_, bytes_, stride(), count_);
  stock_max_ = static_cast<uint32_t>(std::clamp<size_t>(stock_bytes / bytes, stock_least, stock_most));
  free_.reserve(count_);
  for (uint32_t index = count_; index > 0; index--) free_.push_back(static_cast<uint16_t>(index - 1));
  if (ready_) stock_up();
  free_gauge_.set(count_);
}

BufferGroup::~BufferGroup() {
  BW_ASSERT(leased_ == 0);
  munmap(memory_, stride() * count_);
}

Buffer BufferGroup::take_picked(uint16_t buffer_id) noexcept {
  BW_ASSERT(buffer_id < count_ && stock_ > 0);
  leased_++;
  stock_--;
  stock_up();
  free_gauge_.set(count_ - leased_);
  return {*this, buffer_id};
}

Buffer BufferGroup::lease() noexcept {
  if (free_.empty()) return {};
  const uint16_t buffer_id = free_.back();
  free_.pop_back();
  leased_++;
  free_gauge_.set(count_ - leased_);
  return {*this, buffer_id};
}

void BufferGroup::give_back(uint16_t buffer_id) noexcept {
  BW_ASSERT(leased_ > 0);
  leased_--;
  free_gauge_.set(count_ - leased_);
  free_.push_back(buffer_id);
  stock_up();
}

void BufferGroup::stock_up() noexcept {
  while (stock_ < stock_max_ && !free_.empty()) {
    ring_.provide(id_, free_.back());
    free_.pop_back();
    stock_++;
  }
}

void BufferGroup::wait(BufferWaiter& waiter) noexcept {
  waits_.add();
  waiters_.push_back(waiter);
}

void BufferGroup::wake() noexcept {
  for (uint32_t free = count_ - leased_; free > 0; free--) {
    BufferWaiter* const waiter = waiters_.pop_front();
    if (waiter == nullptr) return;
    waiter->hook_(waiter->context_);
  }
}

HeadRoom::HeadRoom(size_t bytes, uint32_t count)
    : bytes_(bytes), count_(count), memory_(map_pages(bytes * count)) {
  free_.reserve(count);
  for (uint32_t index = count; index > 0; index--) free_.push_back(memory_ + (index - 1) * bytes);
}

HeadRoom::~HeadRoom() {
  BW_ASSERT(free_.size() == count_);
  munmap(memory_, bytes_ * count_);
}

}  // namespace breakwater
