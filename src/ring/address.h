// A socket address (IPv4 or IPv6) as a value.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

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

}  // namespace breakwater
