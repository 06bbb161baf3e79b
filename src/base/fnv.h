// FNV-1a, 64 bits, byte by byte: for tables and comparisons of what nobody chooses to collide. Pure.
#pragma once

#include <cstdint>

namespace breakwater {

inline constexpr uint64_t fnv_begin = 0xcbf29ce484222325;

constexpr uint64_t fnv_add(uint64_t hash, char byte) noexcept {
  return (hash ^ static_cast<uint8_t>(byte)) * 0x100000001b3;
}

}  // namespace breakwater
