#include "ring/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "base/assert.h"

namespace breakwater {

Address Address::of_unix_socket(std::string_view path) noexcept {
  BW_ASSERT(path.starts_with('/'));
  BW_ASSERT(path.size() <= unix_path_bytes_max);
  Address address;
  address.un = {};
  address.un.sun_family = AF_UNIX;
  path.copy(address.un.sun_path, path.size());
  address.bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + 1);
  return address;
}

uint16_t Address::port() const noexcept {
  if (is_unix()) return 0;
  return ntohs(is_v6() ? v6.sin6_port : v4.sin_port);
}

void Address::set_port(uint16_t port) noexcept {
  BW_ASSERT(!is_unix());
  if (is_v6())
    v6.sin6_port = htons(port);
  else
    v4.sin_port = htons(port);
}

std::string Address::host_text() const {
  return is_unix() ? un.sun_path : std::string(AddressText(*this).host());
}

std::string Address::text() const {
  return is_unix() ? std::string("unix:") + un.sun_path : std::string(AddressText(*this).host_and_port());
}

std::string_view Address::ip_bytes() const noexcept {
  BW_ASSERT(!is_unix());
  if (!is_v6()) return {reinterpret_cast<const char*>(&v4.sin_addr), sizeof v4.sin_addr};
  const std::string_view all(reinterpret_cast<const char*>(&v6.sin6_addr), sizeof v6.sin6_addr);
  return IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr) ? all.substr(12) : all;
}

AddressText::AddressText(const Address& address) noexcept {
  BW_ASSERT(!address.is_unix());
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
