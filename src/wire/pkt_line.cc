#include "wire/pkt_line.h"

#include <array>
#include <cstring>

#include "wire/byte_class.h"

namespace breakwater::wire {

namespace {

constexpr uint8_t no_digit = 0xff;

constexpr std::array<uint8_t, 256> make_digits() {
  std::array<uint8_t, 256> digits;
  digits.fill(no_digit);
  for (const char digit : std::string_view("0123456789abcdefABCDEF"))
    digits[static_cast<uint8_t>(digit)] = hex_value(digit);
  return digits;
}

constexpr std::array<uint8_t, 256> digit_values = make_digits();

}  // namespace

size_t pkt_line_length(std::string_view digits) noexcept {
  size_t length = 0;
  uint8_t seen = 0;
  for (const char digit : digits.substr(0, 4)) {
    const uint8_t value = digit_values[static_cast<uint8_t>(digit)];
    seen |= value;
    length = length * 16 + value;
  }
  return seen > 0xf ? SIZE_MAX : length;
}

PktLine read_pkt_line(std::string_view bytes) noexcept {
  PktLine line;
  if (bytes.size() < 4) return line;
  const size_t length = pkt_line_length(bytes);
  if (length < 4) {
    constexpr PktLine::Kind special[] = {PktLine::Kind::flush, PktLine::Kind::delimiter,
                                         PktLine::Kind::response_end, PktLine::Kind::malformed};
    line.kind = special[length];
    line.bytes = line.kind == PktLine::Kind::malformed ? 0 : 4;
    return line;
  }
  if (length > pkt_line_bytes_max) {
    line.kind = PktLine::Kind::malformed;
    return line;
  }
  if (bytes.size() < length) return line;
  line.kind = PktLine::Kind::data;
  line.payload = bytes.substr(4, length - 4);
  line.bytes = length;
  return line;
}

size_t write_pkt_line(std::string_view payload, std::span<char> out) noexcept {
  const size_t length = payload.size() + 4;
  if (length > pkt_line_bytes_max || length > out.size()) return 0;
  for (size_t index = 0; index < 4; index++)
    out[index] = "0123456789abcdef"[(length >> (4 * (3 - index))) & 15];
  if (!payload.empty()) std::memcpy(out.data() + 4, payload.data(), payload.size());
  return length;
}

}  // namespace breakwater::wire
