// A socket address (IPv4 or IPv6) as a value.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

struct Address {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  };
  socklen_t bytes = 0;

  Address() noexcept : v6{} {}
  bool empty() const noexcept { return bytes == 0; }
  uint16_t port() const noexcept;
  void set_port(uint16_t port) noexcept;
  bool is_v6() const noexcept { return any.sa_family == AF_INET6; }
  std::string host_text() const;  // "127.0.0.1", "::1"; an IPv4-mapped address as IPv4
  std::string text() const;       // "127.0.0.1:80", "[::1]:80"
};

// The two texts of an address without an allocation, whatever it is.
class AddressText {
 public:
  AddressText() = default;
  explicit AddressText(const Address& address) noexcept;
  std::string_view host() const noexcept { return {text_.data() + host_begin_, host_bytes_}; }
  std::string_view host_and_port() const noexcept { return {text_.data(), bytes_}; }

 private:
  std::array<char, INET6_ADDRSTRLEN + sizeof "[]:65535"> text_;
  uint8_t host_begin_ = 0, host_bytes_ = 0, bytes_ = 0;
};

}  // namespace breakwater
