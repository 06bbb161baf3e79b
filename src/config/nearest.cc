#include "config/nearest.h"

#include <algorithm>
#include <array>

namespace breakwater::config {
namespace {

constexpr size_t name_bytes_max = 64;  // longer names get no guess: the distance takes time by the square

// Optimal string alignment distance, three rows at a time. Case counts for nothing.
size_t slips(std::string_view a, std::string_view b) {
  using Row = std::array<size_t, name_bytes_max + 1>;
  Row before{}, last{}, row{};
  const auto same = [](char x, char y) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  };
  for (size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1);
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    before = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view name, std::span<const std::string_view> candidates) {
  std::string_view best;
  if (name.empty() || name.size() > name_bytes_max) return best;
  size_t best_slips = 1 + (name.size() + 1) / 3;  // one slip in three letters is still a guess; more is noise
  for (const std::string_view candidate : candidates) {
    if (candidate.empty() || candidate.size() > name_bytes_max) continue;
    const size_t count = slips(name, candidate);
    if (count >= best_slips || count >= candidate.size()) continue;
    best_slips = count;
    best = candidate;
  }
  return best;
}

}  // namespace breakwater::config
