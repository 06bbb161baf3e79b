#include "tls/fault.h"

#include <array>

#include "tls/wolfssl.h"

namespace breakwater::tls {
namespace {

struct Words {
  FaultKind kind;
  std::string_view name;
  std::string_view text;
};

constexpr std::array all_words = {
    Words{FaultKind::none, "none", "nothing is wrong"},
    Words{FaultKind::plain_http, "plain_http", "plain HTTP where TLS is spoken"},
    Words{FaultKind::not_tls, "not_tls", "no TLS"},
    Words{FaultKind::bad_hello, "bad_hello", "a malformed hello"},
    Words{FaultKind::hello_too_large, "hello_too_large", "a hello that is too large"},
    Words{FaultKind::old_protocol, "old_protocol", "no version of TLS in common"},
    Words{FaultKind::no_suite, "no_suite", "no cipher suite, curve or signature in common"},
    Words{FaultKind::no_application, "no_application",
          "HTTP/1.1 is not among the protocols that the client names"},
    Words{FaultKind::no_certificate, "no_certificate", "no certificate came, and one is required"},
    Words{FaultKind::bad_certificate, "bad_certificate", "a bad certificate"},
    Words{FaultKind::unknown_ca, "unknown_ca", "a certificate of an unknown authority"},
    Words{FaultKind::expired, "expired", "an expired certificate"},
    Words{FaultKind::not_yet_valid, "not_yet_valid", "a certificate that is not valid yet"},
    Words{FaultKind::revoked, "revoked", "a revoked certificate"},
    Words{FaultKind::no_crl, "no_crl", "a certificate whose issuer has no current revocation list here"},
    Words{FaultKind::wrong_name, "wrong_name", "a certificate for another name"},
    Words{FaultKind::bad_record, "bad_record", "a record that can't be opened"},
    Words{FaultKind::protocol, "protocol", "a break of the protocol"},
    Words{FaultKind::alert, "alert", "the other side gave up"},
    Words{FaultKind::truncated, "truncated", "the connection ended without a close_notify"},
    Words{FaultKind::storm, "storm", "too many records without data"},
    Words{FaultKind::internal, "internal", "no memory"},
};

// The table is in the order of the enumeration, and whole.
static_assert([] {
  for (size_t at = 0; at < all_words.size(); at++)
    if (all_words[at].kind != static_cast<FaultKind>(at)) return false;
  return all_words.back().kind == FaultKind::internal;
}());

}  // namespace

std::string_view name(FaultKind kind) noexcept {
  return all_words[static_cast<size_t>(kind)].name;
}

std::string_view explain(FaultKind kind) noexcept {
  return all_words[static_cast<size_t>(kind)].text;
}

std::string_view library_reason(const Fault& fault) noexcept {
  // Positive ones are OpenSSL's, for which it has no words (peer.cc).
  if (fault.library_code >= 0) return {};
  return wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(static_cast<long>(fault.library_code)));
}

std::string_view alert_name(uint8_t alert) noexcept {
  switch (alert) {
    case 0:
      return "close_notify";
    case 10:
      return "unexpected_message";
    case 20:
      return "bad_record_mac";
    case 22:
      return "record_overflow";
    case 40:
      return "handshake_failure";
    case 42:
      return "bad_certificate";
    case 43:
      return "unsupported_certificate";
    case 44:
      return "certificate_revoked";
    case 45:
      return "certificate_expired";
    case 46:
      return "certificate_unknown";
    case 47:
      return "illegal_parameter";
    case 48:
      return "unknown_ca";
    case 49:
      return "access_denied";
    case 50:
      return "decode_error";
    case 51:
      return "decrypt_error";
    case 70:
      return "protocol_version";
    case 71:
      return "insufficient_security";
    case 80:
      return "internal_error";
    case 86:
      return "inappropriate_fallback";
    case 90:
      return "user_canceled";
    case 100:
      return "no_renegotiation";
    case 109:
      return "missing_extension";
    case 110:
      return "unsupported_extension";
    case 112:
      return "unrecognized_name";
    case 113:
      return "bad_certificate_status_response";
    case 115:
      return "unknown_psk_identity";
    case 116:
      return "certificate_required";
    case 120:
      return "no_application_protocol";
    default:
      return "unknown";
  }
}

FaultKind kind_of(int library_code) noexcept {
  switch (library_code) {
    case VERSION_ERROR:
    case UNSUPPORTED_PROTO_VERSION:
      return FaultKind::old_protocol;
    case MATCH_SUITE_ERROR:
    case UNSUPPORTED_SUITE:
    case KEY_SHARE_ERROR:
    case ECC_CURVE_ERROR:
    case BAD_KEY_SHARE_DATA:
      return FaultKind::no_suite;
    case UNKNOWN_ALPN_PROTOCOL_NAME_E:
      return FaultKind::no_application;
    case NO_PEER_CERT:
      return FaultKind::no_certificate;
    case ASN_NO_SIGNER_E:
    case ASN_SELF_SIGNED_E:
      return FaultKind::unknown_ca;
    case ASN_AFTER_DATE_E:
      return FaultKind::expired;
    case ASN_BEFORE_DATE_E:
      return FaultKind::not_yet_valid;
    case CRL_CERT_REVOKED:
    case OCSP_CERT_REVOKED:
      return FaultKind::revoked;
    case CRL_MISSING:
    case CRL_CERT_DATE_ERR:
      return FaultKind::no_crl;
    case DOMAIN_NAME_MISMATCH:
    case IPADDR_MISMATCH:
      return FaultKind::wrong_name;
    case VERIFY_CERT_ERROR:
    case NO_PEER_VERIFY:
    case PEER_KEY_ERROR:
    case MAX_CHAIN_ERROR:
    case NOT_CA_ERROR:
    case KEYUSE_SIGNATURE_E:
    case KEYUSE_ENCIPHER_E:
    case EXTKEYUSE_AUTH_E:
    case RSA_KEY_SIZE_E:
    case ECC_KEY_SIZE_E:
    case ASN_PARSE_E:
    case ASN_SIG_CONFIRM_E:
    case ASN_SIG_HASH_E:
    case ASN_SIG_KEY_E:
    case ASN_CRIT_EXT_E:
    case ASN_NAME_INVALID_E:
    case ASN_PATHLEN_SIZE_E:
    case ASN_PATHLEN_INV_E:
      return FaultKind::bad_certificate;
    case VERIFY_MAC_ERROR:
    case DECRYPT_ERROR:
    case AES_GCM_AUTH_E:
    case MAC_CMP_FAILED_E:
      return FaultKind::bad_record;
    case MEMORY_E:
    case MEMORY_ERROR:
      return FaultKind::internal;
    default:
      return FaultKind::protocol;
  }
}

}  // namespace breakwater::tls
