#include "wire/http_fault.h"

#include <array>

namespace breakwater::wire {

namespace {

struct Words {
  Fault fault;
  std::string_view name;
  std::string_view text;
};

constexpr std::array all_words = {
    Words{Fault::none, "none", "nothing is wrong"},
    Words{Fault::not_http, "not_http", "this port speaks HTTP/1.1, and these bytes are not HTTP/1.1"},
    Words{Fault::bare_line_end, "bare_line_end", "a line of the message does not end with CR LF"},
    Words{Fault::control_byte, "control_byte", "the message head has a control byte"},
    Words{Fault::bad_start_line, "bad_start_line", "the first line of the message is malformed"},
    Words{Fault::bad_method, "bad_method", "the request method is malformed"},
    Words{Fault::method_unsupported, "method_unsupported", "this proxy does not forward CONNECT or TRACE"},
    Words{Fault::bad_target, "bad_target", "the request target is malformed"},
    Words{Fault::bad_version, "bad_version", "the HTTP version is not 1.0 or 1.1"},
    Words{Fault::bad_field_name, "bad_field_name",
          "a field name is malformed or has white space before its colon"},
    Words{Fault::bad_field_value, "bad_field_value", "a field value has a byte that is not allowed"},
    Words{Fault::folded_line, "folded_line", "a field is folded over several lines"},
    Words{Fault::ambiguous_field_name, "ambiguous_field_name",
          "a field name has an underscore where servers could read a hyphen"},
    Words{Fault::host_missing, "host_missing", "the request has no Host field"},
    Words{Fault::host_repeated, "host_repeated", "the request has more than one Host field"},
    Words{Fault::bad_host, "bad_host", "the Host field is malformed"},
    Words{Fault::bad_content_length, "bad_content_length", "the Content-Length is not one plain number"},
    Words{Fault::bad_transfer_encoding, "bad_transfer_encoding",
          "the Transfer-Encoding is malformed, repeated or not allowed here"},
    Words{Fault::transfer_encoding_unsupported, "transfer_encoding_unsupported",
          "the only transfer coding that this proxy takes is chunked"},
    Words{Fault::length_and_encoding, "length_and_encoding",
          "the message has both Content-Length and Transfer-Encoding"},
    Words{Fault::bad_chunk, "bad_chunk", "the chunked body is malformed"},
    Words{Fault::bad_trailer, "bad_trailer", "the trailer section is malformed or too large"},
    Words{Fault::bad_status, "bad_status", "the status code is malformed"},
    Words{Fault::unexpected_body, "unexpected_body", "there are bytes after the end of the message"},
    Words{Fault::target_too_long, "target_too_long",
          "the request target is longer than this proxy allows ([limits] target_bytes)"},
    Words{Fault::head_too_large, "head_too_large",
          "the message head is larger than this proxy allows ([limits] head_bytes)"},
    Words{Fault::too_many_fields, "too_many_fields",
          "the message head has more fields than this proxy allows (128)"},
    Words{Fault::truncated_body, "truncated_body", "the connection ended inside the body"},
    Words{Fault::disputed, "disputed", "the message head can be read in more than one way"},
};

// The table is in the order of the enumeration, and whole.
static_assert([] {
  for (size_t at = 0; at < all_words.size(); at++)
    if (all_words[at].fault != static_cast<Fault>(at)) return false;
  return all_words.size() == faults;
}());

}  // namespace

uint16_t status_of(Fault fault) noexcept {
  switch (fault) {
    case Fault::target_too_long:
      return 414;
    case Fault::head_too_large:
    case Fault::too_many_fields:
      return 431;
    case Fault::method_unsupported:
    case Fault::transfer_encoding_unsupported:
      return 501;
    default:
      return 400;
  }
}

std::string_view name(Fault fault) noexcept {
  return all_words[static_cast<size_t>(fault)].name;
}

std::string_view describe(Fault fault) noexcept {
  return all_words[static_cast<size_t>(fault)].text;
}

}  // namespace breakwater::wire
