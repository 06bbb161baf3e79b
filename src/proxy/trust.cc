#include "proxy/trust.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace breakwater::proxy {

namespace {

// As config::Network has them.
std::array<uint8_t, 16> bytes_of(const Address& address) {
  std::array<uint8_t, 16> bytes{};
  if (address.is_v6()) {
    std::memcpy(bytes.data(), &address.v6.sin6_addr, 16);
  } else {
    bytes[10] = bytes[11] = 0xff;
    std::memcpy(bytes.data() + 12, &address.v4.sin_addr, 4);
  }
  return bytes;
}

bool covers(const config::Network& network, const std::array<uint8_t, 16>& bytes) {
  const unsigned whole = network.bits / 8;
  if (!std::equal(bytes.begin(), bytes.begin() + whole, network.prefix.begin())) return false;
  const unsigned rest = network.bits % 8;
  return rest == 0 || (bytes[whole] ^ network.prefix[whole]) >> (8 - rest) == 0;
}

}  // namespace

bool contains(const std::vector<config::Network>& networks, const Address& address) noexcept {
  if (networks.empty()) return false;
  const std::array<uint8_t, 16> bytes = bytes_of(address);
  return std::any_of(networks.begin(), networks.end(),
                     [&](const config::Network& network) { return covers(network, bytes); });
}

}  // namespace breakwater::proxy
