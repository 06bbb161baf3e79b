#include "config/units.h"

#include <charconv>
#include <iterator>
#include <limits>
#include <span>

namespace breakwater::config {
namespace {

struct Unit {
  std::string_view name;
  uint64_t factor;
};

// Largest first: formatting takes the first that divides.
constexpr Unit duration_units[] = {{"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}};
constexpr Unit size_units[] = {{"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"", 1}};

std::optional<uint64_t> parse(std::string_view text, std::span<const Unit> units,
                              uint64_t value_max) noexcept {
  uint64_t number = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string_view name(rest, static_cast<size_t>(text.data() + text.size() - rest));
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    if (number > value_max / unit.factor) return std::nullopt;
    return number * unit.factor;
  }
  return std::nullopt;
}

std::string format(uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return std::to_string(value / unit.factor).append(unit.name);
  return "0";
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) noexcept {
  const auto value = parse(text, duration_units, std::numeric_limits<Duration::rep>::max());
  if (!value) return std::nullopt;
  return Duration(static_cast<Duration::rep>(*value));
}

std::optional<uint64_t> parse_size(std::string_view text) noexcept {
  return parse(text, size_units, std::numeric_limits<uint64_t>::max());
}

std::string format_duration(Duration duration) {
  if (duration.count() <= 0) return "0s";
  return format(static_cast<uint64_t>(duration.count()), duration_units);
}

std::string format_size(uint64_t bytes) {
  return format(bytes, size_units);
}

}  // namespace breakwater::config
