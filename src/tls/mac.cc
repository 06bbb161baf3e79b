#include "tls/mac.h"

#include "base/assert.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

Mac hmac_sha256(std::string_view key, std::string_view message) noexcept {
  static_assert(mac_bytes == WC_SHA256_DIGEST_SIZE);
  BW_ASSERT(key.size() >= mac_key_bytes_min);
  Hmac hmac;
  Mac mac;
  // None of these fails for want of anything but a good argument.
  int status = wc_HmacInit(&hmac, nullptr, INVALID_DEVID);
  if (status == 0) status = wc_HmacSetKey(&hmac, WC_SHA256, bytes_of(key), static_cast<word32>(key.size()));
  if (status == 0) status = wc_HmacUpdate(&hmac, bytes_of(message), static_cast<word32>(message.size()));
  if (status == 0) status = wc_HmacFinal(&hmac, mac.data());
  BW_ASSERT(status == 0);
  wc_HmacFree(&hmac);
  return mac;
}

}  // namespace breakwater::tls
