// OCSP stapling: a file's answer goes with the certificate that it is about. For the sources of this folder.
#pragma once

#include <string>

#include "tls/library_context.h"

namespace breakwater::tls {

// Has `answer`, which must stay where it is, sent with the pair's certificate. Adds to `errors` if it is no
// good answer for it: of another certificate, by another authority, outdated, or "revoked".
void staple(LibraryContext& library, const Pair& pair, const std::string& answer, Errors& errors);

}  // namespace breakwater::tls
