// pkt-line framing (gitprotocol-common(5)): four hex digits of length, payload; 0000 flush, 0001 delimiter,
// 0002 response-end. Pure; no allocation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace breakwater::wire {

inline constexpr size_t pkt_line_bytes_max = 65520;  // with the four digits

inline constexpr std::string_view flush_pkt = "0000";

struct PktLine {
  enum class Kind : uint8_t { data, flush, delimiter, response_end, incomplete, malformed };
  Kind kind = Kind::incomplete;
  std::string_view payload;  // of data
  size_t bytes = 0;          // consumed, with the four digits; 0 for incomplete and malformed
};

// The length that four hex digits say, with themselves; more than pkt_line_bytes_max if they are none. 0 to 2
// are the special pkt-lines, 3 is none.
size_t pkt_line_length(std::string_view digits) noexcept;
PktLine read_pkt_line(std::string_view bytes) noexcept;
// Writes one data pkt-line; returns bytes written, or 0 if it does not fit in `out` or is too long.
size_t write_pkt_line(std::string_view payload, std::span<char> out) noexcept;

}  // namespace breakwater::wire
