// A keyed hash, HMAC-SHA-256 (RFC 2104). Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::tls {

inline constexpr size_t mac_bytes = 32;
inline constexpr size_t mac_key_bytes_min = 16;  // a shorter key is a mistake of ours

using Mac = std::array<uint8_t, mac_bytes>;

Mac hmac_sha256(std::string_view key, std::string_view message) noexcept;

}  // namespace breakwater::tls
