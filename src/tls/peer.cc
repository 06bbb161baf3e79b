#include "tls/peer.h"

#include <optional>
#include <utility>

namespace breakwater::tls {
namespace {

constexpr int refuse = 0;
constexpr int believe = 1;

// A library that was built to look like OpenSSL, as distributions build it, tells what is wrong with a
// certificate by OpenSSL's numbers, which are positive.
FaultKind kind_of_verification(int error) noexcept {
  switch (error) {
    case 2:   // no issuer
    case 18:  // self-signed
    case 19:  // self-signed in the chain
    case 20:  // no issuer here
    case 21:  // nothing to verify it by
      return FaultKind::unknown_ca;
    case 3:   // no list
    case 12:  // an old one
      return FaultKind::no_crl;
    case 9:
      return FaultKind::not_yet_valid;
    case 10:
      return FaultKind::expired;
    case 23:
      return FaultKind::revoked;
    default:
      break;
  }
  const FaultKind kind = kind_of(error);
  return kind == FaultKind::protocol ? FaultKind::bad_certificate : kind;
}

int refused(Peer& peer, FaultKind kind, int library_code) noexcept {
  // The first reason is the reason.
  if (!peer.fault) peer.fault = {.kind = kind, .library_code = static_cast<int16_t>(library_code)};
  return refuse;
}

}  // namespace

int verified_by_library(int believed, WOLFSSL_X509_STORE_CTX* seen) noexcept {
  if (seen->userCtx == nullptr) return refuse;
  Peer& peer = *static_cast<Peer*>(seen->userCtx);
  if (believed == 0) {
    return refused(peer, kind_of_verification(seen->error), seen->error);
  }
  // Of the certificates, the one at 0 is the peer's own; those above it were seen before.
  if (seen->error_depth != 0) return believe;
  // None was shown. Where one is required the library says so itself.
  if (seen->totalCerts < 1)
    return peer.wanted_name.empty() ? believe : refused(peer, FaultKind::no_certificate, 0);
  const WOLFSSL_BUFFER_INFO& der = seen->certs[0];
  std::optional<Certificate> certificate = read_certificate({der.buffer, der.length});
  if (!certificate) return refused(peer, FaultKind::bad_certificate, 0);
  if (!peer.wanted_name.empty() && !certificate->is_for(peer.wanted_name))
    return refused(peer, FaultKind::wrong_name, 0);
  peer.shown = std::make_unique<const Certificate>(std::move(*certificate));
  return believe;
}

}  // namespace breakwater::tls
