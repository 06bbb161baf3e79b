// What can be wrong with a peer's HTTP bytes: one name, one status, one sentence each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::wire {

enum class Fault : uint8_t {
  none,
  not_http,       // the first bytes are no HTTP/1 head (a TLS hello, the HTTP/2 preface, noise)
  bare_line_end,  // CR without LF, or LF without CR
  control_byte,   // NUL or another control byte in a head
  bad_start_line,
  bad_method,          // not a token
  method_unsupported,  // CONNECT and TRACE: 501
  bad_target,
  bad_version,
  bad_field_name,  // not a token, empty, or white space before the colon
  bad_field_value,
  folded_line,           // obs-fold
  ambiguous_field_name,  // content_length and the like: CGI servers fold '_' and '-' into one
  host_missing,
  host_repeated,
  bad_host,
  bad_content_length,             // not a number, too large, repeated, or a list
  bad_transfer_encoding,          // repeated, empty, or in HTTP/1.0
  transfer_encoding_unsupported,  // a coding other than chunked: 501
  length_and_encoding,            // both Content-Length and Transfer-Encoding
  bad_chunk,                      // chunk size, extension or end is malformed
  bad_trailer,
  bad_status,
  unexpected_body,  // bytes after a message that has none, or after its end
  target_too_long,  // 414
  head_too_large,   // 431
  too_many_fields,  // 431
  truncated_body,   // the connection ended inside a body
  disputed,         // only one of our two readers takes the head (the other is llhttp)
};
inline constexpr size_t faults = static_cast<size_t>(Fault::disputed) + 1;

// The status a client gets when its own bytes have this fault (400, 414, 431 or 501).
uint16_t status_of(Fault fault) noexcept;
// As it stands above, for metrics.
std::string_view name(Fault fault) noexcept;
// One plain sentence without a full stop, lower case, such as "the request has no Host field"; reads well
// behind a colon and never echoes the peer's bytes.
std::string_view describe(Fault fault) noexcept;

}  // namespace breakwater::wire
