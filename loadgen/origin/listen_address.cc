#include "origin/listen_address.h"

#include <netdb.h>

#include <cstring>

namespace breakwater::storm::origin {

bool read_listen_address(std::string_view text, Address& address, std::string& why) {
  const size_t colon = text.rfind(':');
  std::string host(text.substr(0, colon));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const bool has_port = colon != std::string_view::npos && !host.empty();
  const std::string port(has_port ? text.substr(colon + 1) : std::string_view());
  if (!has_port || getaddrinfo(host.c_str(), port.c_str(), &hints, &found) != 0) {
    why = "can't listen on " + std::string(text) + ": an address and a port are needed, like 127.0.0.1:8080";
    return false;
  }
  std::memcpy(&address.any, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return true;
}

std::string basic_authorization(std::string_view user, std::string_view password) {
  if (user.empty()) return {};
  static constexpr char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::string plain = std::string(user) + ":" + std::string(password);
  std::string text = "Basic ";
  for (size_t at = 0; at < plain.size(); at += 3) {
    uint32_t value = 0;
    for (size_t index = at; index < at + 3; index++)
      value = value << 8 | (index < plain.size() ? static_cast<uint8_t>(plain[index]) : 0u);
    for (size_t digit = 0; digit < 4; digit++)
      text += at + digit <= plain.size() ? digits[value >> (18 - 6 * digit) & 63] : '=';
  }
  return text;
}

}  // namespace breakwater::storm::origin
