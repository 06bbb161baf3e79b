#include "tls/certificate.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "tls/library.h"
#include "tls/wolfssl.h"
#include "wire/byte_class.h"

namespace breakwater::tls {
namespace {

class Decoded {
 public:
  explicit Decoded(std::span<const uint8_t> der) {
    wc_InitDecodedCert(&cert_, der.data(), static_cast<word32>(der.size()), nullptr);
    good_ = wc_ParseCert(&cert_, CERT_TYPE, NO_VERIFY, nullptr) == 0;
  }
  ~Decoded() { wc_FreeDecodedCert(&cert_); }
  Decoded(const Decoded&) = delete;
  Decoded& operator=(const Decoded&) = delete;
  bool good() const { return good_; }
  const DecodedCert& cert() const { return cert_; }

 private:
  DecodedCert cert_;
  bool good_ = false;
};

std::string lower(std::string_view text) {
  std::string lowered(text);
  std::ranges::transform(lowered, lowered.begin(), wire::to_lower);
  return lowered;
}

std::string address_text(std::string_view bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return {};
  return inet_ntop(family, bytes.data(), text.data(), text.size()) != nullptr ? text.data() : "";
}

// As address_text() would write it; empty if it is none.
std::string as_address(const std::string& name) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, name.c_str(), bytes.data()) == 1) return address_text({bytes.data(), 4});
  if (inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) return address_text({bytes.data(), 16});
  return {};
}

std::optional<int64_t> seconds_of(const byte* date, int bytes) {
  const byte* text = nullptr;
  byte format = 0;
  int length = 0;
  if (wc_GetDateInfo(date, bytes, &text, &format, &length) != 0) return std::nullopt;
  std::tm calendar{};
  if (wc_GetDateAsCalendarTime(text, length, format, &calendar) != 0) return std::nullopt;
  return timegm(&calendar);
}

KeyKind key_of(const DecodedCert& cert) {
  if (cert.keyOID == RSAk) return KeyKind::rsa;
  if (cert.keyOID == ECDSAk && cert.pkCurveOID == ECC_SECP256R1_OID) return KeyKind::p256;
  if (cert.keyOID == ECDSAk && cert.pkCurveOID == ECC_SECP384R1_OID) return KeyKind::p384;
  return KeyKind::other;
}

std::string hex(std::span<const byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const byte value : bytes) {
    text += digits[value >> 4];
    text += digits[value & 15];
  }
  return text;
}

void add_name(const DNS_entry& entry, Certificate& certificate) {
  std::string text(entry.name, static_cast<size_t>(entry.len));
  if (entry.type == ASN_IP_TYPE) {
    certificate.addresses.push_back(address_text(text));
  } else if (text.find('\0') != std::string::npos) {
    return;  // it would be another name to whoever reads it as C does
  } else if (entry.type == ASN_DNS_TYPE) {
    certificate.dns_names.push_back(lower(text));
  } else if (entry.type == ASN_URI_TYPE) {
    certificate.uris.push_back(std::move(text));
  } else if (entry.type == ASN_RFC822_TYPE) {
    certificate.mailboxes.push_back(std::move(text));
  }
}

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern == name) return true;
  if (!pattern.starts_with("*.")) return false;
  const size_t dot = name.find('.');
  // "*.com" is for nobody.
  if (dot == std::string_view::npos || dot == 0 || pattern.find('.', 2) == std::string_view::npos)
    return false;
  return name.substr(dot) == pattern.substr(1);
}

}  // namespace

bool Certificate::is_for(std::string_view wanted) const {
  const std::string name = lower(wanted);
  const std::string address = as_address(name);
  if (!address.empty()) return std::ranges::find(addresses, address) != addresses.end();
  return std::ranges::any_of(dns_names,
                             [&name](const std::string& pattern) { return matches(pattern, name); });
}

std::optional<Certificate> read_certificate(std::span<const uint8_t> der) {
  start_library();
  const Decoded decoded(der);
  if (!decoded.good()) return std::nullopt;
  const DecodedCert& cert = decoded.cert();
  const std::optional<int64_t> not_before = seconds_of(cert.beforeDate, cert.beforeDateLen);
  const std::optional<int64_t> not_after = seconds_of(cert.afterDate, cert.afterDateLen);
  if (!not_before || !not_after) return std::nullopt;
  Certificate certificate;
  certificate.subject = cert.subject;
  certificate.serial = hex({cert.serial, static_cast<size_t>(cert.serialSz)});
  for (const DNS_entry* const list : {cert.altNames, cert.altEmailNames})
    for (const DNS_entry* entry = list; entry != nullptr; entry = entry->next) add_name(*entry, certificate);
  certificate.not_before = *not_before;
  certificate.not_after = *not_after;
  certificate.key = key_of(cert);
  return certificate;
}

}  // namespace breakwater::tls
