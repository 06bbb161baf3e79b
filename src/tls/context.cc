#include "tls/context.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <utility>

#include "base/assert.h"
#include "tls/library_context.h"
#include "tls/peer.h"
#include "tls/staple.h"
#include "tls/ticket_callback.h"

namespace breakwater::tls {
namespace {

// How long a client may come back with a ticket. Rotated keys may end that earlier.
constexpr int ticket_seconds = 12 * 3600;

std::string_view suffix_of(std::string_view name) noexcept {
  const size_t dot = name.find('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot);
}

// Lower is better; nothing if the client can't check such a key.
int rank(KeyKind key, const wire::ClientHello& hello) noexcept {
  constexpr int unusable = 9;
  if (key == KeyKind::p256) return hello.takes_p256 ? 0 : unusable;
  if (key == KeyKind::p384) return hello.takes_p384 ? 1 : unusable;
  return hello.takes_rsa ? 2 : unusable;
}

}  // namespace

// What contexts with different ticket keys share.
struct Context::Certificates {
  struct Name {
    std::string text;  // "git.example.com", or ".example.com" for "*.example.com"
    const Identity* identity;
    bool operator<(const Name& other) const noexcept { return text < other.text; }
  };

  Certificates() = default;
  ~Certificates() {
    for (const Identity& identity : identities) wolfSSL_CTX_free(identity.library);
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;

  void add_names(const Identity& identity) {
    for (const std::string& name : identity.certificate.dns_names)
      names.push_back({name.starts_with("*.") ? name.substr(1) : name, &identity});
  }

  // The best of that name; null if there is none.
  const Identity* best(std::string_view text, const wire::ClientHello& hello) const noexcept {
    const Identity* found = nullptr;
    auto at = std::ranges::lower_bound(names, text, {},
                                       [](const Name& name) { return std::string_view(name.text); });
    for (; at != names.end() && at->text == text; ++at)
      if (found == nullptr ||
          rank(at->identity->certificate.key, hello) < rank(found->certificate.key, hello))
        found = at->identity;
    return found;
  }

  // The first, or a twin of it that the client can check: one with a name of the first's.
  const Identity* first(const wire::ClientHello& hello) const noexcept {
    const Identity* found = &identities.front();
    for (const Name& name : names) {
      if (name.identity != &identities.front()) continue;
      const Identity* const twin = best(name.text, hello);
      if (rank(twin->certificate.key, hello) < rank(found->certificate.key, hello)) found = twin;
    }
    return found;
  }

  std::deque<Identity> identities;  // stay where they are
  std::vector<Name> names;          // sorted once all are there
};

namespace {

// What of a pair can be wrong before the library sees it.
std::optional<Certificate> leaf_of(const Pair& pair, Errors& errors) {
  const auto wrong = [&](std::string_view why) {
    errors.push_back(pair.chain_file + ": " + std::string(why));
    return std::nullopt;
  };
  const std::expected<Pieces, std::string> pieces = take_apart(pair.chain);
  if (!pieces) return wrong(pieces.error());
  if (pieces->certificates.empty()) return wrong("it holds no certificate");
  std::optional<Certificate> leaf = read_certificate(pieces->certificates.front());
  if (!leaf) return wrong("its first certificate can't be read");
  if (leaf->key == KeyKind::other) return wrong("its key is neither RSA nor ECDSA on P-256 or P-384");
  return leaf;
}

void ask_for_certificates(LibraryContext& library, const ContextSettings& settings, Errors& errors) {
  if (settings.client_certificates == ClientCertificates::none) return;
  library.trust(settings.client_authorities, errors);
  const int mode = settings.client_certificates == ClientCertificates::required
                       ? WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT
                       : WOLFSSL_VERIFY_PEER;
  wolfSSL_CTX_set_verify(library.get(), mode, verified_by_library);
}

void set_tickets(LibraryContext& library, bool wanted, Errors& errors) {
  wolfSSL_CTX_set_session_cache_mode(library.get(), WOLFSSL_SESS_CACHE_OFF);
  if (!wanted) {
    wolfSSL_CTX_NoTicketTLSv12(library.get());
    wolfSSL_CTX_no_ticket_TLSv13(library.get());
    return;
  }
  if (wolfSSL_CTX_set_TicketEncCb(library.get(), ticket_for_library) != WOLFSSL_SUCCESS ||
      wolfSSL_CTX_set_TicketHint(library.get(), ticket_seconds) != WOLFSSL_SUCCESS)
    errors.push_back("the TLS library refuses tickets");
}

}  // namespace

std::expected<std::shared_ptr<const Context>, Errors> Context::make(ContextSettings settings) {
  Errors errors;
  if (settings.pairs.empty()) errors.push_back("there is no certificate");
  const bool asks = settings.client_certificates != ClientCertificates::none;
  if (asks) settings.tickets = nullptr;
  const auto certificates = std::make_shared<Certificates>();
  for (const Pair& pair : settings.pairs) {
    std::optional<Certificate> leaf = leaf_of(pair, errors);
    if (!leaf) continue;
    LibraryContext library = LibraryContext::server();
    if (library.get() == nullptr) {
      errors.push_back("no memory");
      break;
    }
    Identity& identity = certificates->identities.emplace_back();
    identity.file = pair.chain_file;
    identity.certificate = std::move(*leaf);
    identity.staple = pair.staple;
    library.set_up(settings.minimum, errors);
    library.use(pair, errors);
    ask_for_certificates(library, settings, errors);
    set_tickets(library, settings.tickets != nullptr, errors);
    if (!asks && !pair.staple.empty()) staple(library, pair, identity.staple, errors);
    identity.library = library.release();
    certificates->add_names(identity);
  }
  if (!errors.empty()) return std::unexpected(std::move(errors));
  std::stable_sort(certificates->names.begin(), certificates->names.end());
  std::shared_ptr<Context> context(new Context);
  context->certificates_ = certificates;
  context->tickets_ = std::move(settings.tickets);
  context->minimum_ = settings.minimum;
  context->kernel_ = settings.kernel;
  context->client_certificates_ = settings.client_certificates;
  return context;
}

std::shared_ptr<const Context> Context::with_tickets(std::shared_ptr<const TicketKeys> tickets) const {
  BW_ASSERT(tickets_ != nullptr && tickets != nullptr);
  const std::shared_ptr<Context> context(new Context(*this));
  context->tickets_ = std::move(tickets);
  return context;
}

const Context::Identity* Context::choose(const wire::ClientHello& hello) const noexcept {
  const std::string_view name = hello.name();
  const Identity* found = name.empty() ? nullptr : certificates_->best(name, hello);
  if (found == nullptr && !suffix_of(name).empty()) found = certificates_->best(suffix_of(name), hello);
  return found != nullptr ? found : certificates_->first(hello);
}

size_t Context::identities() const noexcept {
  return certificates_->identities.size();
}

const Context::Identity& Context::identity(size_t index) const noexcept {
  return certificates_->identities[index];
}

std::expected<std::shared_ptr<const ClientContext>, Errors> ClientContext::make(
    ClientContextSettings settings) {
  Errors errors;
  LibraryContext library = LibraryContext::client(settings.maximum);
  if (library.get() == nullptr) return std::unexpected(Errors{"no memory"});
  library.set_up(settings.minimum, errors);
  if (settings.verifies) library.trust(settings.authorities, errors);
  wolfSSL_CTX_set_verify(library.get(), settings.verifies ? WOLFSSL_VERIFY_PEER : WOLFSSL_VERIFY_NONE,
                         settings.verifies ? verified_by_library : nullptr);
  for (const Pair& pair : settings.identity) library.use(pair, errors);
  if (wolfSSL_CTX_UseSessionTicket(library.get()) != WOLFSSL_SUCCESS)
    errors.push_back("the TLS library refuses tickets");
  // Sessions are their owner's (Session), and in no table.
  wolfSSL_CTX_set_session_cache_mode(library.get(), WOLFSSL_SESS_CACHE_NO_INTERNAL_STORE);
  if (!errors.empty()) return std::unexpected(std::move(errors));
  std::shared_ptr<ClientContext> context(new ClientContext);
  context->library_ = library.release();
  context->verifies_ = settings.verifies;
  return context;
}

ClientContext::~ClientContext() {
  wolfSSL_CTX_free(library_);
}

}  // namespace breakwater::tls
