// Where one UTF-8 character ends (RFC 3629 §4): for text that came from a peer and goes to a log or a
// terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace breakwater {

// How many bytes the first character of `text` takes: 1 to 4; 0 if it isn't valid UTF-8 (overlong forms,
// surrogates and cut sequences are not) or `text` is empty.
constexpr size_t utf8_character_bytes(std::string_view text) noexcept {
  if (text.empty()) return 0;
  const auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  const auto continues = [&](size_t index) { return index < text.size() && (byte(index) & 0xC0) == 0x80; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  if (!continues(1)) return 0;
  if (first < 0xE0) return 2;
  if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
  if (first == 0xED && byte(1) > 0x9F) return 0;  // a surrogate
  if (!continues(2)) return 0;
  if (first < 0xF0) return 3;
  if (first == 0xF0 && byte(1) < 0x90) return 0;  // overlong
  if (first == 0xF4 && byte(1) > 0x8F) return 0;  // past U+10FFFF
  return continues(3) ? 4 : 0;
}

// True for the characters that steer a terminal instead of showing: C0, DEL and C1 (U+0080 to U+009F).
constexpr bool utf8_is_control(std::string_view character) noexcept {
  const auto first = static_cast<unsigned char>(character.empty() ? '\0' : character[0]);
  if (character.size() == 2) return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;
  return character.size() <= 1 && (first < 0x20 || first == 0x7F);
}

}  // namespace breakwater
