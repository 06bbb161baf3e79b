// Classes of bytes that HTTP's grammar is made of (RFC 9110 §5.6.2, §5.5; RFC 3986).
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace breakwater::wire {

inline constexpr uint8_t byte_token = 1;   // tchar
inline constexpr uint8_t byte_value = 2;   // field-value: VCHAR, obs-text, SP, HTAB
inline constexpr uint8_t byte_target = 4;  // request-target as we take it: visible ASCII
inline constexpr uint8_t byte_digit = 8;
inline constexpr uint8_t byte_hex = 16;

namespace detail {
constexpr std::array<uint8_t, 256> make_classes() {
  std::array<uint8_t, 256> classes{};
  for (int byte = 0x21; byte < 0x7f; byte++) classes[byte] |= byte_value | byte_target;
  for (int byte = 0x80; byte < 0x100; byte++) classes[byte] |= byte_value;
  classes[' '] |= byte_value;
  classes['\t'] |= byte_value;
  for (const char byte : std::string_view("!#$%&'*+-.^_`|~"))
    classes[static_cast<uint8_t>(byte)] |= byte_token;
  for (int byte = '0'; byte <= '9'; byte++) classes[byte] |= byte_token | byte_digit | byte_hex;
  for (int byte = 'A'; byte <= 'Z'; byte++) classes[byte] |= byte_token;
  for (int byte = 'a'; byte <= 'z'; byte++) classes[byte] |= byte_token;
  for (const char byte : std::string_view("abcdefABCDEF")) classes[static_cast<uint8_t>(byte)] |= byte_hex;
  return classes;
}
inline constexpr std::array<uint8_t, 256> classes = make_classes();
}  // namespace detail

constexpr bool is(uint8_t which, char byte) noexcept {
  return (detail::classes[static_cast<uint8_t>(byte)] & which) != 0;
}

constexpr bool all_are(uint8_t which, std::string_view text) noexcept {
  for (const char byte : text) {
    if (!is(which, byte)) return false;
  }
  return true;
}

// No early way out, so that the compiler can look at many bytes at once.
inline bool has_control(std::string_view text) noexcept {
  uint8_t found = 0;
  for (const char byte : text) {
    const uint8_t value = static_cast<uint8_t>(byte);
    found |= static_cast<uint8_t>(value < 0x20) | static_cast<uint8_t>(value == 0x7f);
  }
  return found != 0;
}

constexpr char to_lower(char byte) noexcept {
  return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte + ('a' - 'A')) : byte;
}

// Eight bytes at once, as they lie in memory; whatever is no letter stays as it is.
inline uint64_t lower_eight(const char* text) noexcept {
  constexpr uint64_t each = 0x0101010101010101;
  uint64_t word;
  std::memcpy(&word, text, sizeof word);
  const uint64_t seven_bits = word & (0x7f * each);
  const uint64_t from_a = seven_bits + (0x80 - 'A') * each;
  const uint64_t beyond_z = seven_bits + (0x7f - 'Z') * each;
  const uint64_t is_upper = (from_a ^ beyond_z) & ~word & (0x80 * each);
  return word | is_upper >> 2;  // 'a' - 'A' is a quarter of that bit
}

constexpr uint8_t hex_value(char byte) noexcept {  // of a byte_hex
  if (byte <= '9') return static_cast<uint8_t>(byte - '0');
  return static_cast<uint8_t>(to_lower(byte) - 'a' + 10);
}

}  // namespace breakwater::wire
