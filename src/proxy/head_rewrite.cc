#include "proxy/head_rewrite.h"

#include <algorithm>
#include <array>

#include "proxy/client_certificate.h"
#include "wire/cookie.h"
#include "wire/field_rules.h"
#include "wire/http_write.h"

namespace breakwater::proxy {

namespace {

using wire::equals_ignoring_case;
using wire::Field;

// A Connection field may not talk us out of these: dropping them changes what the request means or who sent
// it.
constexpr std::array<std::string_view, 13> never_nominated{"host",
                                                           "content-length",
                                                           "content-type",
                                                           "content-encoding",
                                                           "transfer-encoding",
                                                           "authorization",
                                                           "cookie",
                                                           "git-protocol",
                                                           "expect",
                                                           "x-forwarded-for",
                                                           "x-forwarded-proto",
                                                           "x-forwarded-host",
                                                           "x-request-id"};

bool dropped_by_connection(const wire::Fields& fields, std::string_view name) {
  for (const std::string_view kept : never_nominated) {
    if (equals_ignoring_case(name, kept)) return false;
  }
  return wire::nominated_by_connection(fields, name);
}

// Fields of a request that never pass as they came, whoever sent them.
bool is_ours(std::string_view name) {
  return wire::is_hop_by_hop(name) || wire::is_identity(name) || equals_ignoring_case(name, "proxy") ||
         equals_ignoring_case(name, "content-length") || equals_ignoring_case(name, "host");
}

// A length as every parser reads it: a leading zero means octal to some.
std::string_view plain(std::string_view length) {
  length.remove_prefix(std::min(length.find_first_not_of('0'), length.size() - 1));
  return length;
}

// Whether a field of a request goes no further; some of these are written anew.
bool is_dropped(std::string_view name, const wire::RequestHead& request, const UpstreamFacts& facts) {
  if (is_ours(name) || dropped_by_connection(request.fields, name)) return true;
  // HTTP/1.0 has no 100 (RFC 9110 §10.1.1), and the body is here.
  if (facts.until_close && equals_ignoring_case(name, "expect")) return true;
  // An underscore is no spelling that a proxy uses, but a CGI server would read it.
  return wire::is_forwarding(name) &&
         (!facts.peer_is_trusted || name.contains('_') || equals_ignoring_case(name, "x-forwarded-for"));
}

void write_forwarded_for(wire::HeadWriter& out, const wire::RequestHead& request,
                         const UpstreamFacts& facts) {
  out.text("X-Forwarded-For: ");
  if (facts.peer_is_trusted) {
    for (size_t index = 0; index < request.fields.size(); index++) {
      const Field field = request.fields[index];
      if (!equals_ignoring_case(field.name, "x-forwarded-for") || field.value.empty()) continue;
      out.text(field.value);
      out.text(", ");
    }
  }
  out.text(facts.client_address);
  out.text("\r\n");
}

// A field that we set, unless a trusted peer has.
void write_unless_trusted(wire::HeadWriter& out, const wire::RequestHead& request, const UpstreamFacts& facts,
                          std::string_view name, std::string_view value) {
  const bool given = facts.peer_is_trusted && request.fields.find(name).data() != nullptr;
  if (!given && !value.empty()) out.field(name, value);
}

bool is_no_date(const Field& field) {
  const bool holds_a_date = equals_ignoring_case(field.name, "date") ||
                            equals_ignoring_case(field.name, "expires") ||
                            equals_ignoring_case(field.name, "last-modified");
  return holds_a_date && field.value.find_first_not_of("0123456789") == std::string_view::npos;
}

bool names_cookie(std::string_view pairs, std::string_view name) {
  wire::Cookie cookie;
  while (wire::next_cookie(pairs, cookie)) {
    if (cookie.name == name) return true;
  }
  return false;
}

// A Cookie field without the pairs of that name; nothing if no other is in it.
void write_other_cookies(wire::HeadWriter& out, const Field& field, std::string_view name) {
  std::string_view rest = field.value;
  wire::Cookie cookie;
  bool begun = false;
  while (wire::next_cookie(rest, cookie)) {
    if (cookie.name == name) continue;
    if (begun) {
      out.text(";");
    } else {
      out.text(field.name);
      out.text(": ");
      cookie.raw.remove_prefix(std::min(cookie.raw.find_first_not_of(" \t"), cookie.raw.size()));
    }
    out.text(cookie.raw);
    begun = true;
  }
  if (begun) out.text("\r\n");
}

bool sets_cookie(const Field& field, std::string_view name) {
  return equals_ignoring_case(field.name, "set-cookie") && wire::name_of_set_cookie(field.value) == name;
}

// No shared cache keeps the answer, as it is.
bool is_private(const wire::Fields& fields) {
  for (size_t index = 0; index < fields.size(); index++) {
    const Field field = fields[index];
    if (!equals_ignoring_case(field.name, "cache-control")) continue;
    if (wire::list_has_token(field.value, "private") || wire::list_has_token(field.value, "no-store"))
      return true;
  }
  return false;
}

void write_cookie(wire::HeadWriter& out, const StickyCookie& cookie) {
  out.text("Set-Cookie: ");
  out.text(cookie.name);
  out.text("=");
  out.text(cookie.value);
  out.text("; Path=/");
  if (cookie.max_age_s > 0) {
    out.text("; Max-Age=");
    out.number(cookie.max_age_s);
  }
  out.text("; HttpOnly; SameSite=Lax");
  if (cookie.secure) out.text("; Secure");
  out.text("\r\n");
}

}  // namespace

size_t write_upstream_head(const wire::RequestHead& request, const UpstreamFacts& facts,
                           std::span<char> out) noexcept {
  wire::HeadWriter writer(out);
  writer.request_line(request.method_text, request.path_query, facts.until_close ? 0 : 1);
  const std::string_view authority = request.authority.empty() ? facts.server_authority : request.authority;
  bool host_written = false;
  bool length_written = false;
  for (size_t index = 0; index < request.fields.size(); index++) {
    const Field field = request.fields[index];
    if (equals_ignoring_case(field.name,
                             "host")) {  // in its place; an absolute-form target decides its value
      writer.field(field.name, authority);
      host_written = true;
    } else if (equals_ignoring_case(field.name, "content-length")) {
      writer.field(field.name, plain(field.value));
      length_written = true;
    } else if (is_dropped(field.name, request, facts)) {
      continue;
    } else if (!facts.own_cookie.empty() && equals_ignoring_case(field.name, "cookie") &&
               names_cookie(field.value, facts.own_cookie)) {
      write_other_cookies(writer, field, facts.own_cookie);
    } else {
      writer.field(field.name, field.value);
    }
  }
  if (!host_written) writer.field("Host", authority);
  if (request.body.kind == wire::BodyKind::chunked) writer.field("Transfer-Encoding", "chunked");
  if (request.body.kind == wire::BodyKind::length && !length_written)
    writer.field("Content-Length", request.body.length);
  if (request.upgrade_websocket) {
    writer.field("Connection", "Upgrade");
    writer.field("Upgrade", "websocket");
  }
  if (facts.until_close) writer.field("Connection", "close");
  write_forwarded_for(writer, request, facts);
  write_unless_trusted(writer, request, facts, "X-Forwarded-Proto", facts.scheme);
  write_unless_trusted(writer, request, facts, "X-Forwarded-Host", request.authority);
  write_unless_trusted(writer, request, facts, "X-Request-Id", facts.request_id);
  if (!facts.client_certificate.empty()) writer.field(client_certificate_field, facts.client_certificate);
  writer.end_of_head();
  return writer.overflowed() ? 0 : writer.bytes();
}

size_t write_downstream_head(const wire::ResponseHead& response, const DownstreamFacts& facts,
                             std::span<char> out) noexcept {
  wire::HeadWriter writer(out);
  const std::string_view reason =
      response.reason.empty() ? wire::reason_phrase(response.status) : response.reason;
  writer.status_line(response.status, reason);
  const bool keeps_length =
      facts.framing.kind == wire::BodyKind::length || facts.framing.kind == wire::BodyKind::none;
  for (size_t index = 0; index < response.fields.size(); index++) {
    const Field field = response.fields[index];
    if (equals_ignoring_case(field.name, "content-length")) {
      // A HEAD or 304 answer tells the length of a body it does not have; a 1xx or 204 must not (RFC 9110
      // §8.6).
      const bool allowed = response.status >= 200 && response.status != 204;
      if (keeps_length && allowed) writer.field(field.name, plain(field.value));
      continue;
    }
    if (wire::is_hop_by_hop(field.name) || dropped_by_connection(response.fields, field.name)) continue;
    if (facts.repairs_dumb_http && (is_no_date(field) || equals_ignoring_case(field.name, "cache-control")))
      continue;
    if (!facts.cookie.name.empty() && sets_cookie(field, facts.cookie.name)) continue;
    writer.field(field.name, field.value);
  }
  if (!facts.cookie.value.empty()) {
    write_cookie(writer, facts.cookie);
    if (!is_private(response.fields)) writer.field("Cache-Control", "private");
  }
  if (facts.repairs_dumb_http) writer.field("Cache-Control", "private, no-store");
  if (facts.framing.kind == wire::BodyKind::chunked) writer.field("Transfer-Encoding", "chunked");
  if (facts.upgrade) {
    writer.field("Connection", "Upgrade");
    writer.field("Upgrade", "websocket");
  } else if (!facts.keep_alive) {
    writer.field("Connection", "close");
  } else if (facts.client_is_1_0) {
    writer.field("Connection", "keep-alive");
  }
  writer.end_of_head();
  return writer.overflowed() ? 0 : writer.bytes();
}

}  // namespace breakwater::proxy
