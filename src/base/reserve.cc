#include "base/reserve.h"

#include <sys/mman.h>

#include <atomic>

namespace breakwater::reserve {

namespace {
std::atomic<void*> held{nullptr};
}

bool hold() noexcept {
  if (held.load(std::memory_order_relaxed) != nullptr) return true;
  void* const memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  void* none = nullptr;
  if (!held.compare_exchange_strong(none, memory)) munmap(memory, bytes);  // another core was faster
  return true;
}

bool give_back() noexcept {
  void* const memory = held.exchange(nullptr);
  if (memory == nullptr) return false;
  munmap(memory, bytes);
  return true;
}

}  // namespace breakwater::reserve
