// wolfSSL's headers in the one order in which they may be included, and its word for bytes; for the sources
// of this folder.
#pragma once

#include <string_view>

// IWYU pragma: begin_exports
#include <wolfssl/options.h>
// Everything else wants the options before it.
#include <wolfssl/error-ssl.h>
#include <wolfssl/ssl.h>
#include <wolfssl/version.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>
#include <wolfssl/wolfcrypt/coding.h>
#include <wolfssl/wolfcrypt/error-crypt.h>
#include <wolfssl/wolfcrypt/hmac.h>
#include <wolfssl/wolfcrypt/kdf.h>
#include <wolfssl/wolfcrypt/memory.h>
#include <wolfssl/wolfcrypt/random.h>
// IWYU pragma: end_exports

namespace breakwater::tls {

// A text as wolfSSL takes bytes.
inline const byte* bytes_of(std::string_view text) noexcept {
  return reinterpret_cast<const byte*>(text.data());
}

}  // namespace breakwater::tls
