// The whole of a text as a number.
#pragma once

#include <charconv>
#include <string_view>
#include <system_error>

namespace breakwater {

// False: it is none, more than one, or too large; `number` may have changed then.
template <typename Number>
bool parse_number(std::string_view text, Number& number) noexcept {
  const char* const end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && stopped == end;
}

}  // namespace breakwater
