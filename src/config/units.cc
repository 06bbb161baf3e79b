#include "config/units.h"

#include <array>
#include <charconv>

namespace breakwater::config {

namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

template <size_t count>
std::optional<uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, count>& units) {
  if (text == "off") return 0;
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  const std::string_view suffix(end, static_cast<size_t>(text.data() + text.size() - end));
  for (const Unit& unit : units) {
    if (suffix != unit.name) continue;
    if (number > UINT64_MAX / 4 / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  constexpr std::array<Unit, 4> units{{{"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
  const std::optional<uint64_t> value = parse_with_unit(text, units);
  constexpr uint64_t longest = 18ull * 3'600'000;  // what the timer wheel spans
  if (!value || *value > longest) return std::nullopt;
  return Duration(*value);
}

std::optional<uint64_t> parse_size(std::string_view text) {
  constexpr std::array<Unit, 5> units{
      {{"", 1}, {"B", 1}, {"KiB", 1024}, {"MiB", 1024 * 1024}, {"GiB", 1024 * 1024 * 1024}}};
  return parse_with_unit(text, units);
}

}  // namespace breakwater::config
