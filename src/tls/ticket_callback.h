// How the library has tickets sealed and opened: by the keys of the connection's own Context, whichever
// certificate it uses. For the sources of this folder.
#pragma once

#include "tls/wolfssl.h"

namespace breakwater::tls {

int ticket_for_library(WOLFSSL* connection, unsigned char name[WOLFSSL_TICKET_NAME_SZ],
                       unsigned char nonce[WOLFSSL_TICKET_IV_SZ], unsigned char tag[WOLFSSL_TICKET_MAC_SZ],
                       int seals, unsigned char* ticket, int bytes, int* bytes_after, void* context) noexcept;

}  // namespace breakwater::tls
