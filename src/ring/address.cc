#include "ring/address.h"

#include <arpa/inet.h>

#include <array>

namespace breakwater {

uint16_t Address::port() const noexcept {
  return ntohs(is_v6() ? v6.sin6_port : v4.sin_port);
}

void Address::set_port(uint16_t port) noexcept {
  if (is_v6())
    v6.sin6_port = htons(port);
  else
    v4.sin_port = htons(port);
}

std::string Address::host_text() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (!is_v6()) {
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
  } else if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
    inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text.data(), text.size());
  } else {
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
  }
  return text.data();
}

std::string Address::text() const {
  const std::string host = host_text();
  const std::string port_text = std::to_string(port());
  return host.find(':') == std::string::npos ? host + ":" + port_text : "[" + host + "]:" + port_text;
}

}  // namespace breakwater
