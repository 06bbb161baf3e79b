#include "core/log_ring.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/assert.h"

namespace breakwater {

LogRing::LogRing(size_t bytes_power_of_two)
    : mask_(bytes_power_of_two - 1), memory_(std::make_unique_for_overwrite<char[]>(bytes_power_of_two)) {
  BW_ASSERT(std::has_single_bit(bytes_power_of_two));
}

bool LogRing::push(std::string_view line) noexcept {
  const uint64_t to = written_.load(std::memory_order_relaxed);
  const uint64_t from = read_.load(std::memory_order_acquire);
  if (line.size() > mask_ + 1 - static_cast<size_t>(to - from)) return false;
  const size_t start = static_cast<size_t>(to) & mask_;
  const size_t first = std::min(line.size(), mask_ + 1 - start);
  std::memcpy(memory_.get() + start, line.data(), first);
  std::memcpy(memory_.get(), line.data() + first, line.size() - first);
  written_.store(to + line.size(), std::memory_order_release);
  return true;
}

}  // namespace breakwater
