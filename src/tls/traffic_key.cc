#include "tls/traffic_key.h"

#include <string_view>

#include "tls/wolfssl.h"

namespace breakwater::tls {

namespace {

// HKDF-Expand-Label (RFC 8446 §7.1) with an empty context, by the hash that makes secrets of that length.
bool expand(const uint8_t* secret, uint8_t secret_bytes, std::string_view label, uint8_t* out,
            uint8_t out_bytes) noexcept {
  constexpr std::string_view protocol = "tls13 ";
  return wc_Tls13_HKDF_Expand_Label(
             out, out_bytes, secret, secret_bytes, bytes_of(protocol), static_cast<word32>(protocol.size()),
             bytes_of(label), static_cast<word32>(label.size()), nullptr, 0,
             secret_bytes == WC_SHA384_DIGEST_SIZE ? int{WC_SHA384} : int{WC_SHA256}) == 0;
}

}  // namespace

bool TrafficKey::update() noexcept {
  std::array<uint8_t, secret_bytes_max> next{};
  const bool good = expand(secret.data(), secret_bytes, "traffic upd", next.data(), secret_bytes) &&
                    expand(next.data(), secret_bytes, "key", key.data(), key_bytes) &&
                    expand(next.data(), secret_bytes, "iv", nonce.data(), nonce_bytes);
  secret = next;
  sequence = 0;
  explicit_bzero(next.data(), next.size());
  return good;
}

}  // namespace breakwater::tls
