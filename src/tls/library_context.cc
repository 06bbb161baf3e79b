#include "tls/library_context.h"

#include <algorithm>
#include <array>

#include "tls/library.h"
#include "tls/transport.h"

namespace breakwater::tls {
namespace {

constexpr std::string_view suite_names =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

// Of peers' certificates.
constexpr short rsa_bits_min = 2048;
constexpr short ecc_bits_min = 256;

std::string reason(int code) {
  return wolfSSL_ERR_reason_error_string(static_cast<unsigned long>(static_cast<long>(code)));
}

void complain(Errors& errors, std::string_view file, std::string_view what) {
  errors.push_back(file.empty() ? std::string(what) : std::string(file) + ": " + std::string(what));
}

}  // namespace

std::string_view suites() noexcept {
  return suite_names;
}

LibraryContext::LibraryContext(WOLFSSL_METHOD* method) noexcept {
  if (method != nullptr) context_ = wolfSSL_CTX_new(method);  // takes the method over
}

LibraryContext LibraryContext::server() noexcept {
  start_library();
  return LibraryContext(wolfSSLv23_server_method());
}

LibraryContext LibraryContext::client(Version maximum) noexcept {
  start_library();
  return LibraryContext(maximum == Version::tls13 ? wolfSSLv23_client_method() : wolfTLSv1_2_client_method());
}

void LibraryContext::set_up(Version minimum, Errors& errors) {
  constexpr std::array<word16, 3> groups = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1, WOLFSSL_ECC_SECP384R1};
  const auto use_group = [this](word16 group) {
    return wolfSSL_CTX_UseSupportedCurve(context_, group) == WOLFSSL_SUCCESS;
  };
  const int oldest = minimum == Version::tls13 ? WOLFSSL_TLSV1_3 : WOLFSSL_TLSV1_2;
  const bool good = wolfSSL_CTX_SetMinVersion(context_, oldest) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_set_cipher_list(context_, suite_names.data()) == WOLFSSL_SUCCESS &&
                    std::ranges::all_of(groups, use_group) &&
                    wolfSSL_CTX_set_group_messages(context_) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_SetMinRsaKey_Sz(context_, rsa_bits_min) == WOLFSSL_SUCCESS &&
                    wolfSSL_CTX_SetMinEccKey_Sz(context_, ecc_bits_min) == WOLFSSL_SUCCESS;
  if (!good) complain(errors, {}, "the TLS library refuses our versions, suites or curves");
  wolfSSL_CTX_SetIORecv(context_, receive_for_library);
  wolfSSL_CTX_SetIOSend(context_, send_for_library);
}

void LibraryContext::use(const Pair& pair, Errors& errors) {
  const int chain = wolfSSL_CTX_use_certificate_chain_buffer(context_, bytes_of(pair.chain),
                                                             static_cast<long>(pair.chain.size()));
  if (chain != WOLFSSL_SUCCESS) return complain(errors, pair.chain_file, reason(chain));
  const std::string_view key = pair.key.view();
  const int used = wolfSSL_CTX_use_PrivateKey_buffer(context_, bytes_of(key), static_cast<long>(key.size()),
                                                     WOLFSSL_FILETYPE_PEM);
  if (used != WOLFSSL_SUCCESS) return complain(errors, pair.key_file, reason(used));
  if (wolfSSL_CTX_check_private_key(context_) != WOLFSSL_SUCCESS)
    complain(errors, pair.key_file, "it is not the key of the certificate in " + pair.chain_file);
}

void LibraryContext::trust(const Authorities& authorities, Errors& errors) {
  const File& file = authorities.certificates;
  const std::expected<Pieces, std::string> pieces = take_apart(file.text.view());
  if (!pieces) return complain(errors, file.name, pieces.error());
  if (pieces->certificates.empty())
    return complain(errors, file.name, "it holds no certificate of an authority");
  for (size_t at = 0; at < pieces->certificates.size(); at++) {
    const std::vector<uint8_t>& der = pieces->certificates[at];
    // One that has expired is of no use, but no harm among others: bundles of systems have some.
    const int loaded =
        wolfSSL_CTX_load_verify_buffer_ex(context_, der.data(), static_cast<long>(der.size()),
                                          WOLFSSL_FILETYPE_ASN1, 0, WOLFSSL_LOAD_FLAG_DATE_ERR_OKAY);
    if (loaded != WOLFSSL_SUCCESS)
      complain(errors, file.name, "its certificate no. " + std::to_string(at + 1) + ": " + reason(loaded));
  }
  const File& revoked = authorities.revoked;
  if (revoked.name.empty() && revoked.text.empty()) return;
  const std::expected<Pieces, std::string> lists = take_apart(revoked.text.view());
  if (!lists) return complain(errors, revoked.name, lists.error());
  if (lists->revocation_lists.empty()) return complain(errors, revoked.name, "it holds no revocation list");
  if (wolfSSL_CTX_EnableCRL(context_, WOLFSSL_CRL_CHECKALL) != WOLFSSL_SUCCESS)
    return complain(errors, revoked.name, "the TLS library has no revocation lists");
  for (size_t at = 0; at < lists->revocation_lists.size(); at++) {
    const std::string& pem = lists->revocation_lists[at];
    const int loaded = wolfSSL_CTX_LoadCRLBuffer(context_, bytes_of(pem), static_cast<long>(pem.size()),
                                                 WOLFSSL_FILETYPE_PEM);
    if (loaded != WOLFSSL_SUCCESS)
      complain(errors, revoked.name, "its list no. " + std::to_string(at + 1) + ": " + reason(loaded));
  }
}

}  // namespace breakwater::tls
