// Whose certificate the other side showed, and whether it is to be believed. For the sources of this folder.
#pragma once

#include <memory>
#include <string_view>

#include "tls/certificate.h"
#include "tls/fault.h"
#include "tls/wolfssl.h"

namespace breakwater::tls {

// What the library's look at a peer's certificates came to, for one connection.
struct Peer {
  std::string_view wanted_name;              // that the certificate must be for; empty: any
  std::unique_ptr<const Certificate> shown;  // the peer's own, once it is believed
  Fault fault;                               // why it is not believed
};

// The library's callback, once for each certificate that is wrong, and for the peer's own in any case; the
// connection's context of certificates is its Peer.
int verified_by_library(int believed, WOLFSSL_X509_STORE_CTX* seen) noexcept;

}  // namespace breakwater::tls
