// The name of a Git object: 20 bytes of SHA-1, or 32 of SHA-256 (gitformat-pack(5),
// hash-function-transition).
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace breakwater::storm {

enum class HashKind : uint8_t { sha1, sha256 };
constexpr size_t bytes_of(HashKind kind) {
  return kind == HashKind::sha1 ? 20 : 32;
}
inline constexpr size_t hash_bytes_max = 32;

struct ObjectId {
  std::array<uint8_t, hash_bytes_max> raw{};  // unused bytes are zero
  HashKind kind = HashKind::sha1;

  size_t size() const noexcept { return bytes_of(kind); }
  std::span<const uint8_t> bytes() const noexcept { return std::span(raw).first(size()); }
  bool is_zero() const noexcept {
    return std::ranges::all_of(raw, [](uint8_t byte) { return byte == 0; });
  }
  std::string hex() const {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(size() * 2);
    for (const uint8_t byte : bytes()) {
      text += digits[byte >> 4];
      text += digits[byte & 15];
    }
    return text;
  }
  // 40 or 64 lower-case hex digits; nothing else is a name.
  static std::optional<ObjectId> parse(std::string_view text) noexcept {
    ObjectId id;
    if (text.size() == 64)
      id.kind = HashKind::sha256;
    else if (text.size() != 40)
      return std::nullopt;
    unsigned all = 0;
    for (size_t i = 0; i < text.size(); i += 2) {
      const unsigned high = digit_values[static_cast<uint8_t>(text[i])];
      const unsigned low = digit_values[static_cast<uint8_t>(text[i + 1])];
      all |= high | low;
      id.raw[i / 2] = static_cast<uint8_t>(high << 4 | low);
    }
    if (all > 15) return std::nullopt;
    return id;
  }
  auto operator<=>(const ObjectId&) const = default;

 private:
  // Of each byte as a hex digit: 255 if it is none. A name is most of an advertisement's line, so how this is
  // looked up is most of what reading one costs.
  static constexpr std::array<uint8_t, 256> digit_values = [] {
    std::array<uint8_t, 256> values{};
    values.fill(255);
    uint8_t value = 0;
    for (const unsigned char digit : std::string_view("0123456789abcdef")) values[digit] = value++;
    return values;
  }();
};

// For tables: the names are hashes already.
struct ObjectIdHash {
  size_t operator()(const ObjectId& id) const noexcept {
    size_t value;
    std::memcpy(&value, id.raw.data(), sizeof value);
    return value;
  }
};

}  // namespace breakwater::storm
