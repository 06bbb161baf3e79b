#include "ring/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

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
  return std::string(AddressText(*this).host());
}

std::string Address::text() const {
  return std::string(AddressText(*this).host_and_port());
}

AddressText::AddressText(const Address& address) noexcept {
  const bool v4 = !address.is_v6();
  const bool mapped = !v4 && IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr);
  const bool brackets = !v4 && !mapped;
  char* at = text_.data();
  if (brackets) *at++ = '[';
  host_begin_ = brackets;
  if (v4)
    inet_ntop(AF_INET, &address.v4.sin_addr, at, INET6_ADDRSTRLEN);
  else if (mapped)
    inet_ntop(AF_INET, &address.v6.sin6_addr.s6_addr[12], at, INET6_ADDRSTRLEN);
  else
    inet_ntop(AF_INET6, &address.v6.sin6_addr, at, INET6_ADDRSTRLEN);
  host_bytes_ = static_cast<uint8_t>(std::strlen(at));
  at += host_bytes_;
  if (brackets) *at++ = ']';
  *at++ = ':';
  at = std::to_chars(at, text_.data() + text_.size(), address.port()).ptr;
  bytes_ = static_cast<uint8_t>(at - text_.data());
}

}  // namespace breakwater
