// ASCII letters in lower case; other bytes stay as they are, whatever the locale.
#pragma once

#include <string>
#include <string_view>

namespace breakwater {

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  return lower;
}

}  // namespace breakwater
