#include "backends/addresses.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include "base/assert.h"
#include "base/second.h"

namespace breakwater::backends {

using config::ns;

namespace {
constexpr int64_t retry_after_ns = 5 * second_ns;
}  // namespace

Rank rank_of(const Found& one, std::span<const Found> all) noexcept {
  Rank rank;
  uint32_t heaviest = 0;
  for (const Found& other : all) {
    if (other.priority < one.priority) rank.backup = true;
    if (other.priority == one.priority) heaviest = std::max<uint32_t>(heaviest, other.weight);
  }
  if (heaviest > 0) rank.share = std::max(one.weight * whole_share / heaviest, 1u);
  return rank;
}

int64_t lifetime_ns(uint32_t ttl_s, const config::Dns& dns) noexcept {
  return std::clamp(ttl_s * second_ns, ns(dns.min_ttl), ns(dns.max_ttl));
}

int64_t retry_ns(const config::Dns& dns) noexcept {
  return std::clamp(retry_after_ns, ns(dns.min_ttl), ns(dns.max_ttl));
}

Slots::Slot* Slots::of(const std::string& address) noexcept {
  const auto slot =
      std::find_if(slots_.begin(), slots_.end(), [&](const Slot& each) { return each.address == address; });
  return slot == slots_.end() ? nullptr : &*slot;
}

// One that never had an address, else the one that was given up first.
Slots::Slot* Slots::longest_free() noexcept {
  Slot* free = nullptr;
  for (Slot& slot : slots_)
    if (!slot.taken && (free == nullptr || slot.left < free->left)) free = &slot;
  return free;
}

std::vector<uint32_t> Slots::assign(std::span<const Found> found) {
  round_++;
  // Who comes first if there are too many: what is in rotation, then who is there already, then any order
  // that does not change with that of the records.
  std::vector<size_t> order(found.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto precedence = [&](size_t index) {
    const Slot* const slot = of(found[index].address);
    return std::tuple(found[index].priority, slot == nullptr || !slot->taken, found[index].address);
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return precedence(a) < precedence(b); });
  order.resize(std::min(order.size(), slots_.size()));

  std::vector<Slot*> kept(found.size());
  for (const size_t index : order) kept[index] = of(found[index].address);
  for (Slot& slot : slots_) {
    const bool stays = std::find(kept.begin(), kept.end(), &slot) != kept.end();
    if (slot.taken && !stays) slot.left = round_;
    slot.taken = stays;
  }
  std::vector<uint32_t> numbers(found.size(), none);
  for (const size_t index : order) {
    Slot* slot = kept[index];
    if (slot == nullptr) {
      slot = longest_free();
      BW_ASSERT(slot != nullptr);
      slot->address = found[index].address;
      slot->taken = true;
    }
    numbers[index] = static_cast<uint32_t>(slot - slots_.data());
  }
  return numbers;
}

}  // namespace breakwater::backends
