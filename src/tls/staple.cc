#include "tls/staple.h"

namespace breakwater::tls {
namespace {

// The library would ask the authority over the network at this point. It gets the file's answer, and gives
// nothing back.
int answer_for_library(void* context, const char*, int, unsigned char*, int,
                       unsigned char** answer) noexcept {
  std::string& file = *static_cast<std::string*>(context);
  *answer = reinterpret_cast<unsigned char*>(file.data());
  return static_cast<int>(file.size());
}

void keep_answer(void*, unsigned char*) noexcept {}

// The library tells of a revocation; whatever else is wrong it calls a failed lookup.
std::string reason(int code, const Pair& pair) {
  if (code == OCSP_LOOKUP_FAIL)
    return "this is no OCSP answer (DER) about the certificate in " + pair.chain_file +
           " that its authority has signed and that holds today";
  return wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(static_cast<long>(code)));
}

// Has the library check the answer as it will at each handshake, in which it would only be too late to say
// so.
int check(std::vector<uint8_t> leaf, std::span<const uint8_t> authority, std::string& answer) {
  WOLFSSL_CERT_MANAGER* const manager = wolfSSL_CertManagerNew();
  if (manager == nullptr) return MEMORY_E;
  int result = wolfSSL_CertManagerLoadCABuffer(manager, authority.data(), static_cast<long>(authority.size()),
                                               WOLFSSL_FILETYPE_ASN1);
  if (result == WOLFSSL_SUCCESS) result = wolfSSL_CertManagerEnableOCSP(manager, 0);
  if (result == WOLFSSL_SUCCESS)
    result = wolfSSL_CertManagerSetOCSP_Cb(manager, answer_for_library, keep_answer, &answer);
  if (result == WOLFSSL_SUCCESS)
    result = wolfSSL_CertManagerCheckOCSP(manager, leaf.data(), static_cast<int>(leaf.size()));
  wolfSSL_CertManagerFree(manager);
  return result == WOLFSSL_SUCCESS ? 0 : result;
}

// Without the address of a responder the library takes it that there is nothing to ask, and sends nothing.
bool names_responder(std::span<const uint8_t> leaf) {
  DecodedCert cert;
  wc_InitDecodedCert(&cert, leaf.data(), static_cast<word32>(leaf.size()), nullptr);
  const bool names = wc_ParseCert(&cert, CERT_TYPE, NO_VERIFY, nullptr) == 0 && cert.extAuthInfoSz > 0;
  wc_FreeDecodedCert(&cert);
  return names;
}

}  // namespace

void staple(LibraryContext& library, const Pair& pair, const std::string& answer, Errors& errors) {
  const std::string file = pair.name + ".ocsp";
  const std::expected<Pieces, std::string> chain = take_apart(pair.chain);
  if (!chain || chain->certificates.size() < 2) {
    errors.push_back(file + ": its authority's certificate is missing: it comes second in " +
                     pair.chain_file);
    return;
  }
  const std::vector<uint8_t>& leaf = chain->certificates.front();
  const std::vector<uint8_t>& authority = chain->certificates[1];
  if (!names_responder(leaf)) {
    errors.push_back(file + ": the certificate in " + pair.chain_file +
                     " names no OCSP responder, so nobody asks for this");
    return;
  }
  std::string& kept = const_cast<std::string&>(answer);  // the library's interface knows no const
  if (const int wrong = check(leaf, authority, kept); wrong != 0) {
    errors.push_back(file + ": " + reason(wrong, pair));
    return;
  }
  // No client is verified here, so to believe this authority has no other effect (context.cc).
  const bool set =
      wolfSSL_CTX_load_verify_buffer(library.get(), authority.data(), static_cast<long>(authority.size()),
                                     WOLFSSL_FILETYPE_ASN1) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_EnableOCSPStapling(library.get()) == WOLFSSL_SUCCESS &&
      wolfSSL_CTX_SetOCSP_Cb(library.get(), answer_for_library, keep_answer, &kept) == WOLFSSL_SUCCESS;
  if (!set) errors.push_back(file + ": the TLS library refuses to staple");
}

}  // namespace breakwater::tls
