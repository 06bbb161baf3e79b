#include "base/reserve.h"

#include <sys/mman.h>

#include <atomic>
#include <cstdlib>

namespace breakwater::reserve {

namespace {
std::atomic<void*> held{nullptr};
}

bool hold() noexcept {
  if (held.load(std::memory_order_relaxed) != nullptr) return true;
  void* const memory =
      mmap(nullptr, held_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  void* none = nullptr;
  if (!held.compare_exchange_strong(none, memory)) munmap(memory, held_bytes);  // another core was faster
  return true;
}

void* allocate(size_t bytes) noexcept {
  for (;;) {
    void* const memory = std::malloc(bytes);
    if (memory != nullptr) return memory;
    void* const reserved = held.exchange(nullptr);
    if (reserved == nullptr) return nullptr;
    munmap(reserved, held_bytes);
  }
}

}  // namespace breakwater::reserve
