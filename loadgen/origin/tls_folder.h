// The certificates of a folder: NAME.pem, or NAME.crt with NAME.key (tls/pem.h).
#pragma once

#include <memory>
#include <string>

#include "tls/context.h"

namespace breakwater::storm::origin {

// Null, and a sentence, if they can't be used. Starts the library of TLS.
std::shared_ptr<const tls::Context> read_tls_folder(const std::string& folder, std::string& why);

}  // namespace breakwater::storm::origin
