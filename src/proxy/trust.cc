#include "proxy/trust.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "base/parse_number.h"

namespace breakwater::proxy {

namespace {

constexpr std::array<uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::array<uint8_t, 16> to_bytes(const in_addr& v4) {
  std::array<uint8_t, 16> bytes;
  std::copy(mapped_prefix.begin(), mapped_prefix.end(), bytes.begin());
  std::memcpy(bytes.data() + mapped_prefix.size(), &v4, 4);
  return bytes;
}

std::array<uint8_t, 16> to_bytes(const in6_addr& v6) {
  std::array<uint8_t, 16> bytes;
  std::memcpy(bytes.data(), &v6, bytes.size());
  return bytes;
}

bool covers(const Network& network, const std::array<uint8_t, 16>& bytes) {
  const uint32_t whole = network.bits / 8;
  if (!std::equal(bytes.begin(), bytes.begin() + whole, network.prefix.begin())) return false;
  const uint32_t rest = network.bits % 8;
  return rest == 0 || (bytes[whole] ^ network.prefix[whole]) >> (8 - rest) == 0;
}

}  // namespace

std::optional<Network> parse_network(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Network network;
  in_addr v4{};
  in6_addr v6{};
  uint32_t offset = 0;
  uint32_t bits_max = 128;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) {
    network.prefix = to_bytes(v4);
    offset = 96;
    bits_max = 32;
  } else if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    network.prefix = to_bytes(v6);
  } else {
    return std::nullopt;
  }
  uint32_t bits = bits_max;
  if (slash != std::string_view::npos && (!parse_number(text.substr(slash + 1), bits) || bits > bits_max))
    return std::nullopt;
  network.bits = offset + bits;
  return network;
}

bool contains(const std::vector<Network>& networks, const Address& address) noexcept {
  if (networks.empty()) return false;
  const std::array<uint8_t, 16> bytes =
      address.is_v6() ? to_bytes(address.v6.sin6_addr) : to_bytes(address.v4.sin_addr);
  return std::any_of(networks.begin(), networks.end(),
                     [&](const Network& network) { return covers(network, bytes); });
}

}  // namespace breakwater::proxy
