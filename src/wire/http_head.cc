// The strict check, then llhttp, then what the fields mean.
#include "wire/http_head.h"

#include <llhttp.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "wire/byte_class.h"
#include "wire/field_rules.h"
#include "wire/uri.h"

namespace breakwater::wire {

namespace {

// A start line may hold the longest target, a method and a version, and nothing more.
constexpr size_t start_line_rest_max = 64;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// Calls visit(token) for each element of a comma-separated list, empty ones left out, until it returns true.
template <typename Visit>
bool any_in_list(std::string_view list, Visit visit) {
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    const std::string_view token = trim(list.substr(0, comma));
    if (!token.empty() && visit(token)) return true;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return false;
}

template <typename Visit>
bool any_field(const Fields& fields, std::string_view name, Visit visit) {
  for (size_t index = 0; index < fields.size(); index++) {
    const Field field = fields[index];
    if (equals_ignoring_case(field.name, name) && visit(field.value)) return true;
  }
  return false;
}

// A hello of TLS, or the preface of HTTP/2: kinder than "malformed".
bool is_other_protocol(std::string_view bytes) {
  constexpr std::string_view preface = "PRI * HTTP/2.0";
  if (!bytes.empty() && bytes[0] == 0x16) return true;
  return bytes.substr(0, preface.size()) == preface;
}

// --- the strict check: one line at a time
// -----------------------------------------------------------------------

Fault check_field_line(std::string_view line, Fields& fields) {
  if (line.front() == ' ' || line.front() == '\t') return Fault::folded_line;
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return Fault::bad_field_name;
  const std::string_view name = line.substr(0, colon);
  if (!all_are(byte_token, name)) return Fault::bad_field_name;
  const std::string_view value = trim(line.substr(colon + 1));
  // RFC 9110 §5.5 lets a tab be there, but not every parser does; of what decides where a body ends all must
  // think the same.
  if (line.find('\t', static_cast<size_t>(value.data() + value.size() - line.data())) !=
          std::string_view::npos &&
      equals_ignoring_case(name, "content-length"))
    return Fault::bad_content_length;
  // Of a control byte only HTAB may be there.
  if (has_control(value) && !all_are(byte_value, value)) return Fault::bad_field_value;
  if (is_ambiguous_spelling(name)) return Fault::ambiguous_field_name;
  return fields.append(name, value) ? Fault::none : Fault::too_many_fields;
}

// Splits `head` into its start line and fields. Every line ends with CR LF, and CR and LF stand nowhere else.
Fault split_lines(std::string_view head, std::string_view& start_line, Fields& fields) {
  fields.reset(head.data());
  bool first = true;
  while (true) {
    const size_t end = head.find('\n');
    if (end == std::string_view::npos || end == 0 || head[end - 1] != '\r') return Fault::bare_line_end;
    const std::string_view line = head.substr(0, end - 1);
    head.remove_prefix(end + 1);
    if (first) {
      if (line.find('\r') != std::string_view::npos) return Fault::bare_line_end;
      start_line = line;
      first = false;
      continue;
    }
    if (line.empty()) return head.empty() ? Fault::none : Fault::bad_start_line;
    const Fault fault = check_field_line(line, fields);
    if (fault != Fault::none) return line.find('\r') != std::string_view::npos ? Fault::bare_line_end : fault;
  }
}

// --- what both kinds of message share
// ---------------------------------------------------------------------------

struct FramingFields {
  bool has_length = false;
  bool has_encoding = false;
  uint64_t length = 0;
};

Fault read_framing_fields(const Fields& fields, FramingFields& framing) {
  Fault fault = Fault::none;
  any_field(fields, "content-length", [&](std::string_view value) {
    if (framing.has_length || value.empty() || value.size() > 19 || !all_are(byte_digit, value)) {
      fault = Fault::bad_content_length;
      return true;
    }
    framing.has_length = true;
    std::from_chars(value.data(), value.data() + value.size(), framing.length);
    return false;
  });
  if (fault != Fault::none) return fault;
  any_field(fields, "transfer-encoding", [&](std::string_view value) {
    if (framing.has_encoding || value.empty()) {
      fault = Fault::bad_transfer_encoding;
    } else if (!equals_ignoring_case(value, "chunked")) {
      const bool list = value.find(',') != std::string_view::npos;
      const bool tokens =
          !any_in_list(value, [](std::string_view token) { return !all_are(byte_token, token); });
      const bool repeats =
          any_in_list(value, [](std::string_view token) { return equals_ignoring_case(token, "chunked"); });
      fault =
          tokens && !(list && repeats) ? Fault::transfer_encoding_unsupported : Fault::bad_transfer_encoding;
    }
    framing.has_encoding = true;
    return fault != Fault::none;
  });
  if (framing.has_encoding && framing.has_length) return Fault::length_and_encoding;
  return fault;
}

bool connection_has(const Fields& fields, std::string_view token) {
  return any_field(fields, "connection",
                   [&](std::string_view value) { return list_has_token(value, token); });
}

bool wishes_keep_alive(const Fields& fields, uint8_t minor_version) {
  if (connection_has(fields, "close")) return false;
  return minor_version >= 1 || connection_has(fields, "keep-alive");
}

bool names_websocket(const Fields& fields) {
  return any_field(fields, "upgrade",
                   [](std::string_view value) { return equals_ignoring_case(value, "websocket"); });
}

// The second opinion: llhttp, in strict mode, must take the head too.
bool llhttp_accepts(std::string_view head, llhttp_type_t type) {
  llhttp_settings_t settings;
  llhttp_settings_init(&settings);
  settings.on_headers_complete = [](llhttp_t*) { return static_cast<int>(HPE_PAUSED); };
  llhttp_t parser;
  llhttp_init(&parser, type, &settings);
  const llhttp_errno_t error = llhttp_execute(&parser, head.data(), head.size());
  return error == HPE_OK || error == HPE_PAUSED || error == HPE_PAUSED_UPGRADE ||
         error == HPE_CB_HEADERS_COMPLETE;
}

Method method_of(std::string_view text) {
  if (text == "GET") return Method::get;
  if (text == "POST") return Method::post;
  if (text == "HEAD") return Method::head;
  if (text == "PUT") return Method::put;
  if (text == "DELETE") return Method::delete_;
  if (text == "OPTIONS") return Method::options;
  if (text == "PATCH") return Method::patch;
  return Method::other;
}

// --- requests
// ----------------------------------------------------------------------------------------------------

Fault read_request_line(std::string_view line, const HeadLimits& limits, RequestHead& request) {
  const size_t first = line.find(' ');
  const size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Fault::bad_start_line;
  request.method_text = line.substr(0, first);
  request.target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  if (request.method_text.empty() || !all_are(byte_token, request.method_text)) return Fault::bad_method;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    return version.substr(0, 5) == "HTTP/" ? Fault::bad_version : Fault::bad_start_line;
  }
  request.minor_version = version.back() == '1' ? 1 : 0;
  if (request.target.empty() || !all_are(byte_target, request.target)) return Fault::bad_target;
  if (request.target.size() > limits.target_bytes_max) return Fault::target_too_long;
  if (request.method_text == "CONNECT" || request.method_text == "TRACE") return Fault::method_unsupported;
  request.method = method_of(request.method_text);
  return Fault::none;
}

Fault read_target(RequestHead& request) {
  constexpr std::string_view scheme = "http://";
  if (request.target.find('#') != std::string_view::npos) return Fault::bad_target;
  if (request.target.front() == '/') {
    request.path_query = request.target;
    return Fault::none;
  }
  if (request.target == "*") {
    if (request.method != Method::options) return Fault::bad_target;
    request.path_query = request.target;
    return Fault::none;
  }
  if (!equals_ignoring_case(request.target.substr(0, scheme.size()), scheme)) return Fault::bad_target;
  const std::string_view rest = request.target.substr(scheme.size());
  const size_t path = std::min(rest.find_first_of("/?"), rest.size());
  request.authority = rest.substr(0, path);
  request.path_query = rest.substr(path);
  if (!is_valid_authority(request.authority)) return Fault::bad_target;
  // RFC 9112 §3.2.4
  if (request.path_query.empty()) request.path_query = request.method == Method::options ? "*" : "/";
  if (request.path_query == "*") return Fault::none;
  return request.path_query.front() == '/' ? Fault::none : Fault::bad_target;
}

Fault read_host(RequestHead& request) {
  size_t count = 0;
  std::string_view host;
  any_field(request.fields, "host", [&](std::string_view value) {
    host = value;
    return ++count > 1;
  });
  if (count > 1) return Fault::host_repeated;
  if (count == 0) return request.minor_version >= 1 ? Fault::host_missing : Fault::none;
  if (!is_valid_authority(host)) return Fault::bad_host;
  if (request.authority.empty()) request.authority = host;  // an absolute-form target wins (RFC 9112 §3.2.2)
  return Fault::none;
}

}  // namespace

// --- Fields
// ------------------------------------------------------------------------------------------------------

std::string_view Fields::find(std::string_view name) const noexcept {
  for (size_t index = 0; index < count_; index++) {
    const Field field = (*this)[index];
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return {};
}

bool Fields::append(std::string_view name, std::string_view value) noexcept {
  if (count_ == slots_.size()) return false;
  // An empty value may have been trimmed to any place; keep it inside the head.
  const char* const value_data = value.empty() ? name.data() : value.data();
  slots_[count_++] = {static_cast<uint16_t>(name.data() - base_), static_cast<uint16_t>(name.size()),
                      static_cast<uint16_t>(value_data - base_), static_cast<uint16_t>(value.size())};
  return true;
}

// --- HeadScanner
// -------------------------------------------------------------------------------------------------

void HeadScanner::reset() noexcept {
  start_ = looked_ = line_start_ = end_ = lines_ = 0;
  fault_ = Fault::none;
}

HeadScanner::State HeadScanner::scan(std::string_view bytes) noexcept {
  const auto refuse = [this](Fault fault) {
    fault_ = fault;
    return State::refused;
  };
  while (looked_ < bytes.size()) {
    const char* const found =
        static_cast<const char*>(std::memchr(bytes.data() + looked_, '\n', bytes.size() - looked_));
    const size_t stop = found != nullptr ? static_cast<size_t>(found - bytes.data()) : bytes.size();
    // A line without control bytes but its CR, as almost all are, needs no further look.
    const size_t text_end = stop > looked_ && bytes[stop - 1] == '\r' ? stop - 1 : stop;
    const bool clean = !has_control(bytes.substr(looked_, text_end - looked_));
    for (size_t at = clean ? text_end : looked_; at < stop; at++) {
      const unsigned char byte = static_cast<unsigned char>(bytes[at]);
      if (byte >= 0x20 && byte != 0x7f) [[likely]]
        continue;
      if (byte == '\t') continue;
      if (byte == '\r') {  // only right before a LF, which may not be here yet
        if (at + 1 == bytes.size() || bytes[at + 1] == '\n') continue;
        return refuse(Fault::bare_line_end);
      }
      return refuse(is_other_protocol(bytes) ? Fault::not_http : Fault::control_byte);
    }
    if (found == nullptr) {
      looked_ = bytes.size();
      // A CR at the very end is looked at again with what follows it.
      if (bytes.back() == '\r') looked_--;
      break;
    }
    if (stop == line_start_ || bytes[stop - 1] != '\r') return refuse(Fault::bare_line_end);
    const bool empty_line = stop - 1 == line_start_;
    looked_ = stop + 1;
    if (empty_line && lines_ == 0) {
      if (start_ != 0) return refuse(Fault::bad_start_line);  // one empty line is forgiven, not two
      start_ = looked_;
    } else if (empty_line) {
      end_ = looked_;
      return end_ - start_ > limits_.head_bytes_max ? refuse(Fault::head_too_large) : State::complete;
    } else if (lines_++ == 0) {
      const std::string_view line = bytes.substr(start_, stop - start_);
      if (line.size() > limits_.target_bytes_max + start_line_rest_max) return refuse(Fault::target_too_long);
      // Noise is refused at its first line: it may never send a second one.
      if (is_other_protocol(line) || line.find("HTTP/") == std::string_view::npos)
        return refuse(Fault::not_http);
    }
    line_start_ = looked_;
  }
  if (lines_ == 0 && bytes.size() - start_ > limits_.target_bytes_max + start_line_rest_max) {
    return refuse(Fault::target_too_long);
  }
  if (bytes.size() - start_ > limits_.head_bytes_max) return refuse(Fault::head_too_large);
  return State::incomplete;
}

// --- parse
// -------------------------------------------------------------------------------------------------------

Fault parse_request(std::string_view head, const HeadLimits& limits, RequestHead& request) noexcept {
  std::string_view start_line;
  request.authority = {};
  Fault fault = split_lines(head, start_line, request.fields);
  // The start line is judged first: of several faults the one that comes first in the head is the useful one.
  const Fault line_fault =
      start_line.empty() ? Fault::bad_start_line : read_request_line(start_line, limits, request);
  if (line_fault != Fault::none) return line_fault;
  if (fault != Fault::none) return fault;
  fault = read_target(request);
  if (fault != Fault::none) return fault;
  fault = read_host(request);
  if (fault != Fault::none) return fault;
  FramingFields framing;
  fault = read_framing_fields(request.fields, framing);
  if (fault != Fault::none) return fault;
  if (framing.has_encoding && request.minor_version == 0) return Fault::bad_transfer_encoding;
  request.body = {};
  if (framing.has_encoding)
    request.body.kind = BodyKind::chunked;
  else if (framing.has_length && framing.length > 0)
    request.body = {BodyKind::length, framing.length};
  if (!llhttp_accepts(head, HTTP_REQUEST) && request.method != Method::other) return Fault::disputed;
  request.keep_alive = wishes_keep_alive(request.fields, request.minor_version);
  request.expects_continue =
      request.minor_version >= 1 && any_field(request.fields, "expect", [](std::string_view value) {
        return list_has_token(value, "100-continue");
      });
  request.upgrade_websocket = request.minor_version >= 1 && request.method == Method::get &&
                              names_websocket(request.fields) && connection_has(request.fields, "upgrade") &&
                              request.body.kind == BodyKind::none;
  return Fault::none;
}

Fault parse_response(std::string_view head, const HeadLimits&, Method request_method,
                     ResponseHead& response) noexcept {
  std::string_view line;
  const Fault split = split_lines(head, line, response.fields);
  constexpr std::string_view name = "HTTP/1.";
  if (line.size() < name.size() + 5 || line.substr(0, name.size()) != name) return Fault::bad_start_line;
  const char minor = line[name.size()];
  if (minor != '0' && minor != '1') return Fault::bad_version;
  response.minor_version = minor == '1' ? 1 : 0;
  std::string_view rest = line.substr(name.size() + 1);
  if (rest.front() != ' ' || rest.size() < 4 || !all_are(byte_digit, rest.substr(1, 3)))
    return Fault::bad_status;
  response.status = static_cast<uint16_t>((rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0'));
  if (response.status < 100 || response.status > 599) return Fault::bad_status;
  rest.remove_prefix(4);
  if (!rest.empty() && rest.front() != ' ') return Fault::bad_status;
  response.reason = rest.empty() ? rest : rest.substr(1);
  if (!all_are(byte_value, response.reason)) return Fault::bad_start_line;
  if (split != Fault::none) return split;

  FramingFields framing;
  const Fault fault = read_framing_fields(response.fields, framing);
  if (fault != Fault::none) return fault;
  const bool interim = response.status < 200;
  const bool bodiless =
      interim || response.status == 204 || response.status == 304 || request_method == Method::head;
  if (framing.has_encoding && (interim || response.status == 204 || response.minor_version == 0)) {
    return Fault::bad_transfer_encoding;
  }
  if (bodiless)
    response.body = {};
  else if (framing.has_encoding)
    response.body = {BodyKind::chunked, 0};
  else if (!framing.has_length)
    response.body = {BodyKind::until_close, 0};
  else
    response.body = framing.length > 0 ? BodyFraming{BodyKind::length, framing.length} : BodyFraming{};
  response.keep_alive = wishes_keep_alive(response.fields, response.minor_version) &&
                        response.body.kind != BodyKind::until_close;
  response.upgrade_websocket =
      response.status == 101 && response.minor_version >= 1 && names_websocket(response.fields);
  return llhttp_accepts(head, HTTP_RESPONSE) ? Fault::none : Fault::disputed;
}

// --- small helpers
// -----------------------------------------------------------------------------------------------

bool list_has_token(std::string_view list, std::string_view token) noexcept {
  return any_in_list(list, [&](std::string_view element) { return equals_ignoring_case(element, token); });
}

bool same_letters(std::string_view a, std::string_view b) noexcept {
  constexpr size_t step = sizeof(uint64_t);
  if (a.size() < step) {
    for (size_t index = 0; index < a.size(); index++) {
      if (to_lower(a[index]) != to_lower(b[index])) return false;
    }
    return true;
  }
  if (std::memcmp(a.data(), b.data(), a.size()) == 0)
    return true;  // most peers write the case that we ask for
  // The last step may look at letters again.
  const size_t last = a.size() - step;
  for (size_t at = 0; at < last; at += step) {
    if (lower_eight(a.data() + at) != lower_eight(b.data() + at)) return false;
  }
  return lower_eight(a.data() + last) == lower_eight(b.data() + last);
}

#define BW_TEXT_OF(value) #value
#define BW_TEXT(value) BW_TEXT_OF(value)
std::string_view second_parser_version() noexcept {
  return BW_TEXT(LLHTTP_VERSION_MAJOR) "." BW_TEXT(LLHTTP_VERSION_MINOR) "." BW_TEXT(LLHTTP_VERSION_PATCH);
}
#undef BW_TEXT
#undef BW_TEXT_OF

bool nominated_by_connection(const Fields& fields, std::string_view name) noexcept {
  return connection_has(fields, name);
}

}  // namespace breakwater::wire
