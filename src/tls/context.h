// What connections are made with: a Context for a listener's clients, a ClientContext for connections to
// servers. Made once from bytes that somebody read, checked then, and never changed; whoever owns one
// replaces it as a whole, and connections keep theirs until they end. May be used by all threads at the same
// time.
//
// Both speak TLS 1.2 and 1.3 with AEAD suites and ECDHE alone (suites(), docs/tls.md); there is no
// renegotiation and no compression.
#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tls/certificate.h"
#include "tls/pem.h"
#include "tls/ticket_keys.h"
#include "wire/client_hello.h"

struct WOLFSSL_CTX;

namespace breakwater::tls {

enum class Version : uint8_t { tls12, tls13 };
enum class ClientCertificates : uint8_t { none, optional, required };

// The suites, best first, by the names that wolfSSL gives them.
std::string_view suites() noexcept;

using Errors = std::vector<std::string>;  // "FILE: reason", or a reason alone

struct Authorities {
  File certificates;  // PEM, of those who may sign
  File revoked;  // PEM of their revocation lists; empty: none is asked. With one, every authority needs one.
};

struct ContextSettings {
  std::vector<Pair> pairs;  // the first is for clients that name nobody, or somebody unknown
  Version minimum = Version::tls12;
  ClientCertificates client_certificates = ClientCertificates::none;
  Authorities client_authorities;
  std::shared_ptr<const TicketKeys> tickets;  // null: none are given out
  bool kernel = false;                        // does the records, once hands are shaken; it must be able to
};

class Context {
 public:
  // Takes the settings over; their keys are wiped. Every error, if there is one.
  static std::expected<std::shared_ptr<const Context>, Errors> make(ContextSettings settings);
  // The same with other ticket keys; the certificates are shared. Only where there were tickets before.
  std::shared_ptr<const Context> with_tickets(std::shared_ptr<const TicketKeys> tickets) const;

  // A certificate with its key.
  struct Identity {
    std::string file;
    Certificate certificate;
    WOLFSSL_CTX* library = nullptr;
    std::string staple;  // DER of an OCSP answer; the library points to it
  };
  // The one for this client: for the name that it asks for, else the first; of a kind that it can check,
  // ECDSA before RSA. Never null.
  const Identity* choose(const wire::ClientHello& hello) const noexcept;
  size_t identities() const noexcept;
  const Identity& identity(size_t index) const noexcept;  // with their expiry, for metrics

  Version minimum() const noexcept { return minimum_; }
  bool kernel() const noexcept { return kernel_; }
  ClientCertificates client_certificates() const noexcept { return client_certificates_; }
  // Null where there are no tickets. With client certificates there never are, for a ticket does not tell
  // whose it was.
  const TicketKeys* tickets() const noexcept { return tickets_.get(); }
  const std::shared_ptr<const TicketKeys>& ticket_keys() const noexcept { return tickets_; }

 private:
  struct Certificates;
  Context() = default;
  std::shared_ptr<const Certificates> certificates_;
  std::shared_ptr<const TicketKeys> tickets_;
  Version minimum_ = Version::tls12;
  bool kernel_ = false;
  ClientCertificates client_certificates_ = ClientCertificates::none;
};

struct ClientContextSettings {
  Version minimum = Version::tls12;
  Version maximum = Version::tls13;
  bool verifies = true;
  Authorities authorities;     // unless `verifies` is false
  std::vector<Pair> identity;  // none, or one: to be shown to servers that ask
};

class ClientContext {
 public:
  static std::expected<std::shared_ptr<const ClientContext>, Errors> make(ClientContextSettings settings);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  WOLFSSL_CTX* library() const noexcept { return library_; }
  bool verifies() const noexcept { return verifies_; }

 private:
  ClientContext() = default;
  WOLFSSL_CTX* library_ = nullptr;
  bool verifies_ = true;
};

}  // namespace breakwater::tls
