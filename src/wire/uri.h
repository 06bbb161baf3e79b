// request-target pieces (RFC 3986, RFC 9112 §3.2). Works on copies for decisions; what is forwarded stays
// raw.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace breakwater::wire {

struct PathQuery {
  std::string_view path, query;
};  // query without '?'
PathQuery split_query(std::string_view path_query) noexcept;

// Value of `key` in a query, raw; first one wins. nullopt if absent.
std::optional<std::string_view> query_value(std::string_view query, std::string_view key) noexcept;

// Percent-decodes `raw` into `out`; returns the decoded view, or nullopt if malformed, too long, or it would
// hold NUL.
std::optional<std::string_view> percent_decode(std::string_view raw, std::span<char> out) noexcept;

// Is it host, host:port, or [v6]:port with only the bytes those may have (RFC 3986 §3.2.2)? No name is longer
// than 255 bytes, escaped they are 765 (RFC 1035 §3.1); what is longer than authority_bytes_max is none.
inline constexpr size_t authority_bytes_max = 1024;
bool is_valid_authority(std::string_view authority) noexcept;

// "[::1]" of "[::1]:8080"; what has no port stays as it is.
std::string_view without_port(std::string_view authority) noexcept;

// Copies a request-target for a log: values of query keys that carry secrets (token, access_token,
// private_token, secret, password, sig, signature, key, code, ... ) become "***". Cuts at out.size(). Never
// allocates.
std::string_view redact_target(std::string_view target, std::span<char> out) noexcept;

}  // namespace breakwater::wire
