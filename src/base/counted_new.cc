// Replaces operator new, so that every allocation of C++ code is counted for its thread (thread_counts.h).
//
// Linked only into programs that want to know. The memory is malloc's, so in the release binary mimalloc
// stays the allocator. The sanitizers replace operator new themselves, and look better: their builds leave
// this out.
#include <cstddef>
#include <cstdlib>
#include <new>

#include "base/reserve.h"
#include "base/thread_counts.h"

namespace {

void* counted(std::size_t bytes) noexcept {
  breakwater::thread_counts.allocations++;
  return breakwater::reserve::allocate(bytes != 0 ? bytes : 1);
}

// aligned_alloc wants whole multiples.
void* counted(std::size_t bytes, std::align_val_t alignment) noexcept {
  breakwater::thread_counts.allocations++;
  const std::size_t unit = static_cast<std::size_t>(alignment);
  return std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
}

// Nothing here sets a new_handler, so there is none to ask.
void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

using Alignment = std::align_val_t;
using Quietly = const std::nothrow_t&;

// All forms: mimalloc's library has its own of each, which would not come here.
void* operator new(std::size_t bytes) {
  return or_throw(counted(bytes));
}
void* operator new[](std::size_t bytes) {
  return or_throw(counted(bytes));
}
void* operator new(std::size_t bytes, Quietly) noexcept {
  return counted(bytes);
}
void* operator new[](std::size_t bytes, Quietly) noexcept {
  return counted(bytes);
}
void* operator new(std::size_t bytes, Alignment alignment) {
  return or_throw(counted(bytes, alignment));
}
void* operator new[](std::size_t bytes, Alignment alignment) {
  return or_throw(counted(bytes, alignment));
}
void* operator new(std::size_t bytes, Alignment alignment, Quietly) noexcept {
  return counted(bytes, alignment);
}
void* operator new[](std::size_t bytes, Alignment alignment, Quietly) noexcept {
  return counted(bytes, alignment);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, Quietly) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, Quietly) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}
void operator delete(void* memory, Alignment) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, Alignment) noexcept {
  std::free(memory);
}
void operator delete(void* memory, Alignment, Quietly) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, Alignment, Quietly) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t, Alignment) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, std::size_t, Alignment) noexcept {
  std::free(memory);
}
