// Why a TLS connection failed, as a value: what kind of failure, what the other side said, and the library's
// own number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::tls {

enum class FaultKind : uint8_t {
  none,
  // What comes is no TLS, or not ours to speak.
  plain_http,
  not_tls,
  bad_hello,
  hello_too_large,
  old_protocol,    // no version in common
  no_suite,        // no cipher suite, curve or signature in common
  no_application,  // of the protocols that the client names (ALPN) none is HTTP/1.1
  // The other side's certificate.
  no_certificate,  // none came, and one is required
  bad_certificate,
  unknown_ca,
  expired,
  not_yet_valid,
  revoked,
  no_crl,  // whether it is revoked can't be known: there is no list of its issuer, or an old one
  wrong_name,
  // In the course of it.
  bad_record,  // can't be opened: altered on the way, or of other keys
  protocol,    // any other break of the protocol
  alert,       // the other side ended it by an alert
  truncated,   // the connection ended without a close_notify
  storm,       // records without data, more than are good for anything
  internal,    // our own trouble: no memory
};

inline constexpr size_t fault_kinds = static_cast<size_t>(FaultKind::internal) + 1;

struct Fault {
  FaultKind kind = FaultKind::none;
  uint8_t alert = 0;         // kind alert: the number of it, as on the wire
  int16_t library_code = 0;  // wolfSSL's; 0 where the library was not asked
  explicit operator bool() const noexcept { return kind != FaultKind::none; }
};
static_assert(sizeof(Fault) == 4);

// For metrics and the access log: "old_protocol".
std::string_view name(FaultKind kind) noexcept;
// For people: half a sentence.
std::string_view explain(FaultKind kind) noexcept;
// wolfSSL's own words for its number; empty for 0.
std::string_view library_reason(const Fault& fault) noexcept;
// "certificate_expired", as RFC 8446 §6 calls it; "unknown" for a number that it does not know.
std::string_view alert_name(uint8_t alert) noexcept;

// Of a number that wolfSSL gave.
FaultKind kind_of(int library_code) noexcept;

}  // namespace breakwater::tls
