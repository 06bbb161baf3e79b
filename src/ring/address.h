// A socket address (IPv4, IPv6 or the path of a unix socket) as a value.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace breakwater {

struct Address {
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
    sockaddr_un un;
  };
  socklen_t bytes = 0;

  Address() noexcept : v6{} {}
  // Absolute and of at most unix_path_bytes_max bytes, which the caller has checked.
  static Address of_unix_socket(std::string_view path) noexcept;
  bool empty() const noexcept { return bytes == 0; }
  uint16_t port() const noexcept;  // 0 of a unix socket
  void set_port(uint16_t port) noexcept;
  bool is_v6() const noexcept { return any.sa_family == AF_INET6; }
  bool is_unix() const noexcept { return any.sa_family == AF_UNIX; }
  // The 4 or 16 bytes of an IP address; an IPv4-mapped one has 4. Not of a unix socket.
  std::string_view ip_bytes() const noexcept;
  std::string host_text() const;  // "127.0.0.1", "::1"; an IPv4-mapped address as IPv4; a unix socket's path
  std::string text() const;       // "127.0.0.1:80", "[::1]:80", "unix:/run/gogs.sock"
};

inline constexpr size_t unix_path_bytes_max = sizeof sockaddr_un::sun_path - 1;

// The two texts of an IP address without an allocation.
class AddressText {
 public:
  AddressText() = default;
  explicit AddressText(const Address& address) noexcept;
  std::string_view host() const noexcept { return {text_.data() + host_begin_, host_bytes_}; }
  std::string_view host_and_port() const noexcept { return {text_.data(), bytes_}; }

 private:
  std::array<char, INET6_ADDRSTRLEN + 8> text_;
  uint8_t host_begin_ = 0, host_bytes_ = 0, bytes_ = 0;
};

}  // namespace breakwater
