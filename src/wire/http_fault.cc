#include "wire/http_fault.h"

namespace breakwater::wire {

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
  switch (fault) {
    case Fault::none:
      return "none";
    case Fault::not_http:
      return "not_http";
    case Fault::bare_line_end:
      return "bare_line_end";
    case Fault::control_byte:
      return "control_byte";
    case Fault::bad_start_line:
      return "bad_start_line";
    case Fault::bad_method:
      return "bad_method";
    case Fault::method_unsupported:
      return "method_unsupported";
    case Fault::bad_target:
      return "bad_target";
    case Fault::bad_version:
      return "bad_version";
    case Fault::bad_field_name:
      return "bad_field_name";
    case Fault::bad_field_value:
      return "bad_field_value";
    case Fault::folded_line:
      return "folded_line";
    case Fault::ambiguous_field_name:
      return "ambiguous_field_name";
    case Fault::host_missing:
      return "host_missing";
    case Fault::host_repeated:
      return "host_repeated";
    case Fault::bad_host:
      return "bad_host";
    case Fault::bad_content_length:
      return "bad_content_length";
    case Fault::bad_transfer_encoding:
      return "bad_transfer_encoding";
    case Fault::transfer_encoding_unsupported:
      return "transfer_encoding_unsupported";
    case Fault::length_and_encoding:
      return "length_and_encoding";
    case Fault::bad_chunk:
      return "bad_chunk";
    case Fault::bad_trailer:
      return "bad_trailer";
    case Fault::bad_status:
      return "bad_status";
    case Fault::unexpected_body:
      return "unexpected_body";
    case Fault::target_too_long:
      return "target_too_long";
    case Fault::head_too_large:
      return "head_too_large";
    case Fault::too_many_fields:
      return "too_many_fields";
    case Fault::truncated_body:
      return "truncated_body";
  }
  return "?";
}

std::string_view describe(Fault fault) noexcept {
  switch (fault) {
    case Fault::none:
      return "nothing is wrong";
    case Fault::not_http:
      return "this port speaks HTTP/1.1, and these bytes are not HTTP/1.1";
    case Fault::bare_line_end:
      return "a line of the message does not end with CR LF";
    case Fault::control_byte:
      return "the message head has a control byte";
    case Fault::bad_start_line:
      return "the first line of the message is malformed";
    case Fault::bad_method:
      return "the request method is malformed";
    case Fault::method_unsupported:
      return "this proxy does not forward CONNECT or TRACE";
    case Fault::bad_target:
      return "the request target is malformed";
    case Fault::bad_version:
      return "the HTTP version is not 1.0 or 1.1";
    case Fault::bad_field_name:
      return "a field name is malformed or has white space before its colon";
    case Fault::bad_field_value:
      return "a field value has a byte that is not allowed";
    case Fault::folded_line:
      return "a field is folded over several lines";
    case Fault::ambiguous_field_name:
      return "a field name has an underscore where servers could read a hyphen";
    case Fault::host_missing:
      return "the request has no Host field";
    case Fault::host_repeated:
      return "the request has more than one Host field";
    case Fault::bad_host:
      return "the Host field is malformed";
    case Fault::bad_content_length:
      return "the Content-Length is not one plain number";
    case Fault::bad_transfer_encoding:
      return "the Transfer-Encoding is malformed, repeated or not allowed here";
    case Fault::transfer_encoding_unsupported:
      return "the only transfer coding that this proxy takes is chunked";
    case Fault::length_and_encoding:
      return "the message has both Content-Length and Transfer-Encoding";
    case Fault::bad_chunk:
      return "the chunked body is malformed";
    case Fault::bad_trailer:
      return "the trailer section is malformed or too large";
    case Fault::bad_status:
      return "the status code is malformed";
    case Fault::unexpected_body:
      return "there are bytes after the end of the message";
    case Fault::target_too_long:
      return "the request target is longer than this proxy allows ([limits] target_bytes)";
    case Fault::head_too_large:
      return "the message head is larger than this proxy allows ([limits] head_bytes)";
    case Fault::too_many_fields:
      return "the message head has more fields than this proxy allows (128)";
    case Fault::truncated_body:
      return "the connection ended inside the body";
  }
  return "the message is malformed";
}

}  // namespace breakwater::wire
