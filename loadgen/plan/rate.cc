#include "plan/rate.h"

#include <charconv>

namespace breakwater::storm {

std::optional<double> parse_rate(std::string_view text) noexcept {
  double seconds = 0;
  if (text.ends_with("/s")) seconds = 1;
  if (text.ends_with("/m")) seconds = 60;
  if (text.ends_with("/h")) seconds = 3600;
  if (seconds == 0) return std::nullopt;
  text.remove_suffix(2);
  double count = 0;
  const char* const all = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), all, count, std::chars_format::fixed);
  // Not a number is not within them either.
  const bool is_good = error == std::errc{} && end == all && count >= 0 && count / seconds <= rate_max;
  if (!is_good) return std::nullopt;
  return count / seconds;
}

std::string rate_text(double rate) {
  char text[32];
  const std::to_chars_result result =
      std::to_chars(text, text + sizeof text, rate, std::chars_format::fixed, 2);
  std::string_view digits(text, static_cast<size_t>(result.ptr - text));
  while (digits.ends_with('0')) digits.remove_suffix(1);
  if (digits.ends_with('.')) digits.remove_suffix(1);
  return std::string(digits) + "/s";
}

}  // namespace breakwater::storm
