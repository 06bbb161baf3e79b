#include "wire/uri.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/parse_ip.h"
#include "wire/byte_class.h"
#include "wire/http_head.h"

namespace breakwater::wire {

namespace {

constexpr std::array<std::string_view, 18> secret_keys{
    "token",     "access_token",  "private_token", "refresh_token",   "id_token",
    "job_token", "client_secret", "secret",        "password",        "passwd",
    "pwd",       "sig",           "signature",     "x-amz-signature", "x-amz-security-token",
    "key",       "apikey",        "code"};

bool is_secret(std::string_view key) {
  std::array<char, 32> decoded;
  const std::optional<std::string_view> plain = percent_decode(key, decoded);
  const std::string_view name = plain ? *plain : key;
  return std::any_of(secret_keys.begin(), secret_keys.end(),
                     [&](std::string_view secret) { return equals_ignoring_case(name, secret); });
}

bool is_host_byte(char byte) {
  return is(byte_digit, byte) || (to_lower(byte) >= 'a' && to_lower(byte) <= 'z') ||
         std::string_view("-._~!$&'()*+,;=%").find(byte) != std::string_view::npos;
}

// RFC 3986 §3.2.2, without the IPvFuture that there is none of.
bool is_ipv6_address(std::string_view text) {
  in6_addr ignored;
  return parse_ip(AF_INET6, text, &ignored);
}

bool is_port(std::string_view text) {
  return text.size() <= 5 && all_are(byte_digit, text);
}

}  // namespace

PathQuery split_query(std::string_view path_query) noexcept {
  const size_t mark = path_query.find('?');
  if (mark == std::string_view::npos) return {path_query, {}};
  return {path_query.substr(0, mark), path_query.substr(mark + 1)};
}

std::optional<std::string_view> query_value(std::string_view query, std::string_view key) noexcept {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (pair.substr(0, equals) == key) return pair.substr(std::min(equals + 1, pair.size()));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return std::nullopt;
}

std::optional<std::string_view> percent_decode(std::string_view raw, std::span<char> out) noexcept {
  size_t written = 0;
  for (size_t at = 0; at < raw.size(); at++) {
    char byte = raw[at];
    if (byte == '%') {
      if (raw.size() - at < 3 || !is(byte_hex, raw[at + 1]) || !is(byte_hex, raw[at + 2]))
        return std::nullopt;
      byte = static_cast<char>(hex_value(raw[at + 1]) * 16 + hex_value(raw[at + 2]));
      at += 2;
    }
    if (byte == '\0' || written == out.size()) return std::nullopt;
    out[written++] = byte;
  }
  return std::string_view(out.data(), written);
}

bool is_valid_authority(std::string_view authority) noexcept {
  if (authority.empty() || authority.size() > authority_bytes_max) return false;
  if (authority.front() == '[') {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos || !is_ipv6_address(authority.substr(1, close - 1))) return false;
    const std::string_view rest = authority.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const size_t colon = std::min(authority.find(':'), authority.size());
  if (colon == 0) return false;
  const std::string_view host = authority.substr(0, colon);
  for (size_t at = 0; at < host.size(); at++) {
    if (!is_host_byte(host[at])) return false;
    const bool escapes = host[at] == '%';
    if (escapes && (host.size() - at < 3 || !is(byte_hex, host[at + 1]) || !is(byte_hex, host[at + 2])))
      return false;
  }
  return colon == authority.size() || is_port(authority.substr(colon + 1));
}

std::string_view without_port(std::string_view authority) noexcept {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

std::string_view redact_target(std::string_view target, std::span<char> out) noexcept {
  size_t written = 0;
  const auto put = [&](std::string_view text) {
    const size_t count = std::min(text.size(), out.size() - written);
    if (count > 0) std::memcpy(out.data() + written, text.data(), count);
    written += count;
  };
  // user:password@ of an absolute-form target never gets here as a valid request, but may as a refused one,
  // or behind a slash. A password may hold an @ and a slash of its own, so all up to the last @ goes.
  const size_t mark = std::min(target.find('?'), target.size());
  std::string_view path = target.substr(0, mark);
  const size_t scheme = path.find("://");
  if (scheme != std::string_view::npos) {
    const size_t at = path.rfind('@');
    if (at != std::string_view::npos && at > scheme) {
      put(path.substr(0, scheme + 3));
      put("***");
      path.remove_prefix(at);
    }
  }
  put(path);
  if (mark == target.size()) return {out.data(), written};
  put("?");
  std::string_view query = target.substr(mark + 1);
  while (!query.empty()) {
    const size_t end = std::min(query.find_first_of("&;"), query.size());
    const std::string_view pair = query.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    if (equals < pair.size() && is_secret(pair.substr(0, equals))) {
      put(pair.substr(0, equals + 1));
      put("***");
    } else {
      put(pair);
    }
    if (end < query.size()) put(query.substr(end, 1));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return {out.data(), written};
}

}  // namespace breakwater::wire
