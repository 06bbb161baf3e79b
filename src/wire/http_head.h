// HTTP/1.x request and response heads: bytes in, values out (RFC 9112 §2 to §6).
//
// Every head passes a strict check of our own (no bare CR or LF, no NUL or other control byte, no obs-fold,
// no space before a colon, one Content-Length of digits only, Transfer-Encoding exactly `chunked`, never
// both, one Host) before llhttp parses it. Anything that two parsers could read differently is a Fault.
//
// The values are views into the head's bytes, which the caller keeps alive and in place. Pure; no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "wire/http_fault.h"

namespace breakwater::wire {

inline constexpr size_t fields_max = 128;

struct Field {
  std::string_view name;   // as sent, case kept
  std::string_view value;  // without surrounding white space
};

// The fields of one head in the order they were sent. Holds offsets (8 bytes a field), so a head lies within
// 64 KiB.
class Fields {
 public:
  size_t size() const noexcept { return count_; }
  Field operator[](size_t index) const noexcept {
    const Slot& slot = slots_[index];
    return {{base_ + slot.name_offset, slot.name_bytes}, {base_ + slot.value_offset, slot.value_bytes}};
  }
  // The first field of that name (ASCII case-insensitive), or one with a null value().data().
  std::string_view find(std::string_view name) const noexcept;

  // For the parser only.
  void reset(const char* base) noexcept {
    base_ = base;
    count_ = 0;
  }
  bool append(std::string_view name, std::string_view value) noexcept;  // false when full

 private:
  struct Slot {
    uint16_t name_offset, name_bytes, value_offset, value_bytes;
  };
  const char* base_ = nullptr;
  uint32_t count_ = 0;
  std::array<Slot, fields_max> slots_;
};

enum class Method : uint8_t { get, head, post, put, delete_, options, patch, other };

enum class BodyKind : uint8_t { none, length, chunked, until_close };
struct BodyFraming {
  BodyKind kind = BodyKind::none;
  uint64_t length = 0;  // bytes; only for BodyKind::length
  // Its length is not told before its end.
  bool is_open_ended() const noexcept { return kind == BodyKind::chunked || kind == BodyKind::until_close; }
};

struct HeadLimits {
  size_t head_bytes_max = 16384;  // the whole head with its blank line; at most 65535
  size_t target_bytes_max = 8192;
};

// Finds the end of a head in bytes that arrive piece by piece. Remembers how far it looked, so a head that
// comes a byte at a time costs O(n). It refuses early (bare line ends, control bytes, sizes), so that
// nonsense never waits. At most one empty line (CRLF) before the start line of a request is skipped (RFC 9112
// §2.2).
class HeadScanner {
 public:
  enum class State : uint8_t { incomplete, complete, refused };
  explicit HeadScanner(const HeadLimits& limits) noexcept : limits_(limits) {}
  void reset() noexcept;
  // `bytes` is everything received so far for this head, always from the same first byte.
  State scan(std::string_view bytes) noexcept;
  size_t start() const noexcept {
    return start_;
  }  // where the head begins: 0, or 2 after a skipped empty line
  size_t end() const noexcept { return end_; }     // one past its blank line; valid when complete
  Fault fault() const noexcept { return fault_; }  // valid when refused

 private:
  HeadLimits limits_;
  size_t start_ = 0, looked_ = 0, line_start_ = 0, end_ = 0, lines_ = 0;
  Fault fault_ = Fault::none;
};

struct RequestHead {
  Method method = Method::other;
  std::string_view method_text;
  std::string_view target;      // raw request-target as sent
  std::string_view path_query;  // what goes to the server: raw origin-form; of an absolute-form target the
                                // part after the authority ("/" if that is empty); "*" for OPTIONS *
  std::string_view authority;   // from an absolute-form target, else the Host value; empty only in HTTP/1.0
  uint8_t minor_version = 1;
  Fields fields;
  BodyFraming body;
  bool keep_alive = true;         // what the client wishes (version and Connection)
  bool expects_continue = false;  // Expect: 100-continue, in HTTP/1.1
  bool upgrade_websocket =
      false;  // Connection: upgrade with Upgrade: websocket (RFC 6455) on a GET without body
};

struct ResponseHead {
  uint16_t status = 0;
  std::string_view reason;
  uint8_t minor_version = 1;
  Fields fields;
  BodyFraming body;  // as RFC 9112 §6.3 says for this request method and status; 1xx, 204, 304, HEAD: none
  bool keep_alive =
      true;  // may the server's connection be used again after this message (false for until_close)
  bool upgrade_websocket = false;  // of a 101: that is what it switches to (RFC 9110 §7.8)
};

// `head` runs from the start line through the blank line, as HeadScanner found it. On a fault the value is
// unusable.
Fault parse_request(std::string_view head, const HeadLimits& limits, RequestHead& request) noexcept;
// `request_method` decides the framing (HEAD has no body). A 101 has no body here; what follows is the
// tunnel.
Fault parse_response(std::string_view head, const HeadLimits& limits, Method request_method,
                     ResponseHead& response) noexcept;

// The version of llhttp that this was built with, for --version.
std::string_view second_parser_version() noexcept;

// True if the comma-separated list `list` (a field's value) holds `token`, ASCII case-insensitive.
bool list_has_token(std::string_view list, std::string_view token) noexcept;
bool same_letters(std::string_view a, std::string_view b) noexcept;  // of one length; ASCII
// Almost always decided by the length.
inline bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && same_letters(a, b);
}
// True if some Connection field of this message nominates `name` (RFC 9110 §7.6.1).
bool nominated_by_connection(const Fields& fields, std::string_view name) noexcept;

}  // namespace breakwater::wire
