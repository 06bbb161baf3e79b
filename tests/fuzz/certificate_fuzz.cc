// Certificates: any bytes as a peer's own, and any text as a file of them. What is read out of one is fit for
// a field of HTTP, whatever its owner wrote into it; nothing is taken for whole that is not.
#include <string>
#include <string_view>

#include "base/assert.h"
#include "proxy/client_certificate.h"
#include "tls/certificate.h"
#include "tls/pem.h"

using namespace breakwater;

namespace {

void look_at(std::span<const uint8_t> der) {
  const std::optional<tls::Certificate> certificate = tls::read_certificate(der);
  if (!certificate) return;
  for (const char* name : {"runner7.example.com", "a.b.c", "127.0.0.1", "::1", ""})
    (void)certificate->is_for(name);
  for (const std::string& name : certificate->dns_names) {
    // A label of its own is all that a star stands for.
    if (name.starts_with("*."))
      BW_ASSERT(!certificate->is_for("a.b" + name.substr(1)) || certificate->dns_names.size() > 1);
  }
  const std::string value = proxy::client_certificate_value(*certificate);
  BW_ASSERT(value.size() <= proxy::client_certificate_bytes_max);
  size_t quotes = 0;
  for (const char byte : value) {
    BW_ASSERT(byte >= 0x20 && byte < 0x7f);
    quotes += byte == '"';
  }
  BW_ASSERT(quotes % 2 == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size > 16384) return 0;
  look_at({data, size});
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::expected<tls::Pieces, std::string> pieces = tls::take_apart(text);
  if (pieces) {
    for (const std::vector<uint8_t>& der : pieces->certificates) look_at(der);
    BW_ASSERT(pieces->certificates.empty() == pieces->certificates_pem.empty());
  } else {
    BW_ASSERT(!pieces.error().empty());
  }
  // The same as files that belong together.
  std::vector<tls::File> files;
  files.push_back({"a.crt", tls::Secret(text.substr(0, size / 2))});
  files.push_back({"a.key", tls::Secret(text.substr(size / 2))});
  files.push_back({"b.pem", tls::Secret(text)});
  const tls::Pairing pairing = tls::pair_up(files);
  BW_ASSERT(pairing.pairs.size() + pairing.errors.size() >= 2);
  for (const tls::Pair& pair : pairing.pairs) BW_ASSERT(!pair.chain.empty() && !pair.key.view().empty());
  return 0;
}
