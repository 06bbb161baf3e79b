// Networks whose word about the client we believe (listen.trusted).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "ring/address.h"

namespace breakwater::proxy {

struct Network {
  std::array<uint8_t, 16> prefix{};  // IPv4 as an IPv4-mapped IPv6 address
  uint32_t bits = 0;                 // of the 128
};

// "10.0.0.0/8", "::1/128", "192.0.2.7". nullopt if it is none.
std::optional<Network> parse_network(std::string_view text);
bool contains(const std::vector<Network>& networks, const Address& address) noexcept;

}  // namespace breakwater::proxy
