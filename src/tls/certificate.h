// What a certificate says, read out of its DER, and whether it is for a name. Whether it is to be believed is
// not asked here.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace breakwater::tls {

enum class KeyKind : uint8_t { rsa, p256, p384, other };

struct Certificate {
  std::string subject;                 // "/C=DE/CN=runner 7", as it stands there
  std::string serial;                  // in hex digits
  std::vector<std::string> dns_names;  // lower case; one may begin with "*."
  std::vector<std::string> addresses;  // as inet_ntop writes them
  std::vector<std::string> uris;
  std::vector<std::string> mailboxes;
  int64_t not_before = 0;  // seconds since 1970
  int64_t not_after = 0;
  KeyKind key = KeyKind::other;

  // RFC 9525: alternative names alone count, a "*" stands for one whole label at the beginning. `name` is a
  // DNS name, or an IP address.
  bool is_for(std::string_view name) const;
};

std::optional<Certificate> read_certificate(std::span<const uint8_t> der);

}  // namespace breakwater::tls
