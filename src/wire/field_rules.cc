#include "wire/field_rules.h"

#include <array>

#include "wire/byte_class.h"

namespace breakwater::wire {

namespace {

// `folded` is lower case with hyphens; `name` is as it came.
bool matches(std::string_view name, std::string_view folded) {
  if (name.size() != folded.size()) return false;
  for (size_t index = 0; index < name.size(); index++) {
    const char byte = name[index] == '_' ? '-' : to_lower(name[index]);
    if (byte != folded[index]) return false;
  }
  return true;
}

bool begins(std::string_view name, std::string_view folded) {
  return name.size() >= folded.size() && matches(name.substr(0, folded.size()), folded);
}

template <size_t count>
bool any_of(std::string_view name, const std::array<std::string_view, count>& table) {
  for (const std::string_view entry : table) {
    if (matches(name, entry)) return true;
  }
  return false;
}

template <size_t count>
bool any_begins(std::string_view name, const std::array<std::string_view, count>& table) {
  for (const std::string_view entry : table) {
    if (begins(name, entry)) return true;
  }
  return false;
}

constexpr std::array<std::string_view, 10> hop_by_hop{"connection",
                                                      "keep-alive",
                                                      "proxy-connection",
                                                      "te",
                                                      "trailer",
                                                      "transfer-encoding",
                                                      "upgrade",
                                                      "proxy-authenticate",
                                                      "proxy-authorization",
                                                      "http2-settings"};

constexpr std::array<std::string_view, 5> identity_prefixes{"x-webauth-", "x-remote-", "remote-",
                                                            "x-auth-request-", "x-authenticated-"};
constexpr std::array<std::string_view, 14> identity_names{"x-forwarded-user",
                                                          "x-forwarded-email",
                                                          "x-forwarded-groups",
                                                          "x-forwarded-preferred-username",
                                                          "x-forwarded-access-token",
                                                          "x-forwarded-login",
                                                          "x-forwarded-uid",
                                                          "x-user",
                                                          "x-username",
                                                          "x-auth-user",
                                                          "x-ssl-client-cert",
                                                          "x-ssl-client-dn",
                                                          "x-client-cert",
                                                          "x-forwarded-client-cert"};

constexpr std::array<std::string_view, 19> forwarding{
    "x-forwarded-for", "x-forwarded-proto",  "x-forwarded-host", "x-forwarded-port",    "x-forwarded-server",
    "x-forwarded-by",  "x-forwarded-scheme", "x-forwarded-ssl",  "x-forwarded-prefix",  "forwarded",
    "x-real-ip",       "true-client-ip",     "x-client-ip",      "x-cluster-client-ip", "cf-connecting-ip",
    "x-original-url",  "x-rewrite-url",      "x-original-host",  "x-request-id"};

// RFC 9110 §6.5.1: framing, routing, request modifiers, authentication, response control, content.
constexpr std::array<std::string_view, 30> forbidden_in_trailer{"content-length",
                                                                "host",
                                                                "authorization",
                                                                "www-authenticate",
                                                                "proxy-authentication-info",
                                                                "authentication-info",
                                                                "cookie",
                                                                "set-cookie",
                                                                "cache-control",
                                                                "expect",
                                                                "max-forwards",
                                                                "pragma",
                                                                "range",
                                                                "content-range",
                                                                "te",
                                                                "age",
                                                                "expires",
                                                                "date",
                                                                "location",
                                                                "retry-after",
                                                                "vary",
                                                                "warning",
                                                                "if-match",
                                                                "if-none-match",
                                                                "if-modified-since",
                                                                "if-unmodified-since",
                                                                "if-range",
                                                                "proxy",
                                                                "git-protocol",
                                                                "x-request-id"};

constexpr std::array<std::string_view, 6> spelled_exactly{
    "content-length", "transfer-encoding", "host", "connection", "expect", "upgrade"};

}  // namespace

bool is_hop_by_hop(std::string_view name) noexcept {
  return any_of(name, hop_by_hop);
}

bool is_identity(std::string_view name) noexcept {
  return any_begins(name, identity_prefixes) || any_of(name, identity_names);
}

bool is_forwarding(std::string_view name) noexcept {
  return any_of(name, forwarding);
}

bool is_forbidden_in_trailer(std::string_view name) noexcept {
  return begins(name, "content-") || any_of(name, forbidden_in_trailer);
}

bool is_ambiguous_spelling(std::string_view name) noexcept {
  return name.find('_') != std::string_view::npos && any_of(name, spelled_exactly);
}

}  // namespace breakwater::wire
