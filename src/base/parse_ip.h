// An IP address from text that has no NUL behind it, as a piece of a larger one has not.
#pragma once

#include <arpa/inet.h>

#include <string_view>

namespace breakwater {

// inet_pton(3), which only reads text. `family`: AF_INET or AF_INET6; `bytes`: 4 or 16, in network order.
inline bool parse_ip(int family, std::string_view text, void* bytes) noexcept {
  char copy[INET6_ADDRSTRLEN];
  if (text.size() >= sizeof copy || text.find('\0') != std::string_view::npos) return false;
  copy[text.copy(copy, sizeof copy - 1)] = '\0';
  return inet_pton(family, copy, bytes) == 1;
}

}  // namespace breakwater
