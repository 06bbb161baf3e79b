// Contexts and what they are made of: which files belong together, what is refused with which words, and
// which certificate is chosen for whom.
#include "tls/context.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tls/engine.h"
#include "tls/pem.h"
#include "tls/wolfssl.h"
#include "unit/tls/world.h"

using namespace breakwater::tls;
using namespace breakwater::tls::testing;

namespace {

std::vector<File> files(std::initializer_list<std::pair<std::string, std::string>> all) {
  std::vector<File> made;
  for (const auto& [name, text] : all) made.push_back({name, Secret(text)});
  return made;
}

// The one error of these files, or what went well.
std::string error_of(const std::vector<File>& all) {
  const Pairing pairing = pair_up(all);
  if (pairing.errors.size() == 1) return pairing.errors.front();
  return pairing.errors.empty() ? std::to_string(pairing.pairs.size()) + " pairs" : "several errors";
}

std::string context_error(std::vector<Pair> all, ContextSettings settings = {}) {
  settings.pairs = std::move(all);
  const auto context = Context::make(std::move(settings));
  return context ? "" : context.error().size() == 1 ? context.error().front() : "several errors";
}

Pair mixed(std::string_view certificate, std::string_view key) {
  Pair made = pair(certificate);
  made.key = Secret(certificate_file(std::string(key) + ".key"));
  made.key_file = std::string(key) + ".key";
  return made;
}

breakwater::wire::ClientHello asking(std::string_view name, bool p256, bool rsa) {
  breakwater::wire::ClientHello hello;
  std::ranges::copy(name, hello.name_text.begin());
  hello.name_bytes = static_cast<uint8_t>(name.size());
  hello.takes_p256 = p256;
  hello.takes_rsa = rsa;
  return hello;
}

}  // namespace

TEST_CASE("tls files: what belongs together") {
  const std::string crt = certificate_file("git-ecdsa.crt"), key = certificate_file("git-ecdsa.key");
  CHECK(error_of(files({{"a.crt", crt}, {"a.key", key}})) == "1 pairs");
  CHECK(error_of(files({{"a.pem", crt + key}, {"b.pem", key + crt}})) == "2 pairs");
  CHECK(error_of(files({{"a.crt", crt}, {"a.key", key}, {"a.ocsp", "x"}, {".b.swp", ""}, {"c~", ""}})) ==
        "1 pairs");
  const Pairing pairing = pair_up(files({{"b.crt", crt}, {"b.key", key}, {"a.pem", key + crt + crt}}));
  REQUIRE(pairing.pairs.size() == 2);
  CHECK(pairing.pairs[0].name == "a");
  CHECK(pairing.pairs[0].chain_file == "a.pem");
  CHECK(pairing.pairs[1].key_file == "b.key");
}

TEST_CASE(
    "tls files: a folder that is written with a dot was empty, and an editor's file in another was refused") {
  const std::string crt = certificate_file("git-ecdsa.crt"), key = certificate_file("git-ecdsa.key");
  for (const std::string folder : {"./certs/", "../", "/etc/tls.d/", "/etc/.tls/"}) {
    CAPTURE(folder);
    const Pairing pairing = pair_up(files({{folder + "a.crt", crt},
                                           {folder + "a.key", key},
                                           {folder + ".a.crt.swp", "x"},
                                           {folder + ".#a.pem", "x"},
                                           {folder + "a.key~", "x"}}));
    CHECK(pairing.errors.empty());
    REQUIRE(pairing.pairs.size() == 1);
    CHECK(pairing.pairs[0].name == folder + "a");
  }
  CHECK(error_of(files({{"/etc/tls.d/README", ""}})) ==
        "/etc/tls.d/README: its name ends in none of .pem, .crt, .key and .ocsp");
}

TEST_CASE("tls files: half of a set, and half of a file, are refused with the reason") {
  const std::string crt = certificate_file("git-ecdsa.crt"), key = certificate_file("git-ecdsa.key");
  CHECK(error_of(files({{"a.crt", crt}})) == "a.crt: its key is missing: there is no a.key");
  CHECK(error_of(files({{"a.key", key}})) == "a.key: its certificate is missing: there is no a.crt");
  CHECK(error_of(files({{"a.ocsp", "x"}})) == "a.ocsp: there is no certificate a.crt or .pem");
  CHECK(error_of(files({{"a.pem", crt + key}, {"a.key", key}})) == "a.key: there is a a.pem as well");
  CHECK(error_of(files({{"a.pem", crt}})) == "a.pem: it holds no private key");
  CHECK(error_of(files({{"a.crt", ""}, {"a.key", key}})) == "a.crt: it holds no certificate");
  CHECK(error_of(files({{"a.crt", crt + key}, {"a.key", key}})).starts_with("a.crt: it holds a private key"));
  CHECK(error_of(files({{"a.cert", crt}})) == "a.cert: its name ends in none of .pem, .crt, .key and .ocsp");
  // However much of a file was written, it is an error or the whole.
  for (size_t bytes = 0; bytes < crt.size() - 1; bytes += 7) {
    const std::string error = error_of(files({{"a.crt", crt.substr(0, bytes)}, {"a.key", key}}));
    CHECK_MESSAGE(error.starts_with("a.crt: "), error);
    // Of a chain, too.
    const std::string chain = crt + crt.substr(0, std::max<size_t>(bytes, 12));
    CHECK(error_of(files({{"a.crt", chain}, {"a.key", key}})).starts_with("a.crt: "));
  }
  const std::string encrypted =
      "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
  CHECK(error_of(files({{"a.crt", crt}, {"a.key", encrypted}})).starts_with("a.key: its key is encrypted"));
  CHECK(error_of(files({{"a.crt", crt}, {"a.key", key + key}})) == "a.key: it holds two private keys");
}

TEST_CASE("tls context: what can't be used is refused with its file's name") {
  CHECK(context_error({}) == "there is no certificate");
  CHECK(context_error(pairs({"git-ecdsa", "git-rsa"})) == "");
  CHECK(context_error(pairs({"expired"})) == "");  // a restart must not fail for it
  std::vector<Pair> wrong;
  wrong.push_back(mixed("git-ecdsa", "wildcard"));
  CHECK(context_error(std::move(wrong)) ==
        "wildcard.key: it is not the key of the certificate in git-ecdsa.crt");
  wrong.clear();
  wrong.push_back(mixed("git-ecdsa", "git-rsa"));
  CHECK(context_error(std::move(wrong)).starts_with("git-rsa.key: "));
  CHECK(context_error(pairs({"ed25519"})) ==
        "ed25519.crt: its key is neither RSA nor ECDSA on P-256 or P-384");
  Pair broken = pair("git-ecdsa");
  broken.key = Secret("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  wrong.clear();
  wrong.push_back(std::move(broken));
  CHECK(context_error(std::move(wrong)).starts_with("git-ecdsa.key: "));
}

TEST_CASE("tls context: authorities and their lists") {
  const auto with = [](Authorities all) {
    ContextSettings settings;
    settings.client_certificates = ClientCertificates::required;
    settings.client_authorities = std::move(all);
    return context_error(pairs({"git-ecdsa"}), std::move(settings));
  };
  CHECK(with(authorities("ca.pem", true)) == "");
  CHECK(with({.certificates = {"none.pem", Secret("nothing")}, .revoked = {}}) ==
        "none.pem: it holds no certificate of an authority");
  CHECK(with({.certificates = {"ca.pem", Secret(certificate_file("ca.pem"))},
              .revoked = {"crl.pem", Secret("nothing")}}) == "crl.pem: it holds no revocation list");
  // A list of somebody else's.
  CHECK(with({.certificates = {"other-ca.pem", Secret(certificate_file("other-ca.pem"))},
              .revoked = {"crl.pem", Secret(certificate_file("crl.pem"))}})
            .starts_with("crl.pem: its list no. 1: "));
}

TEST_CASE("tls context: which certificate for whom") {
  const auto context = server_context({"wildcard", "git-rsa", "git-ecdsa", "rsa-only"});
  const auto chosen = [&](std::string_view name, bool p256 = true, bool rsa = true) {
    return context->choose(asking(name, p256, rsa))->file;
  };
  CHECK(chosen("git.example.com") == "git-ecdsa.crt");
  CHECK(chosen("git.example.com", false) == "git-rsa.crt");
  CHECK(chosen("git.example.com", true, false) == "git-ecdsa.crt");
  CHECK(chosen("a.git.example.com") == "git-ecdsa.crt");
  CHECK(chosen("a.example.net") == "wildcard.crt");
  CHECK(chosen("a.b.example.net") == "wildcard.crt");  // the first, for want of one
  CHECK(chosen("old.example.com") == "rsa-only.crt");
  CHECK(chosen("") == "wildcard.crt");
  CHECK(chosen("unknown") == "wildcard.crt");
  CHECK(chosen("", false) == "wildcard.crt");  // nothing fits; the library will say so
  // The twin of the first is for those that can't check the first.
  CHECK(server_context({"git-ecdsa", "git-rsa"})->choose(asking("", false, true))->file == "git-rsa.crt");
  CHECK(context->identities() == 4);
  CHECK(context->identity(0).certificate.not_after > context->identity(0).certificate.not_before);
}

TEST_CASE("tls context: suites, best first") {
  CHECK(suites() ==
        "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
        "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
        "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
  // The server's order counts, and it has each of them.
  const auto agreed = [](const char* offered, std::string_view certificate, Version version) {
    Engine client(client_context("ca.pem", version), "git.example.com");
    REQUIRE(wolfSSL_set_cipher_list(client.library(), offered) == WOLFSSL_SUCCESS);
    Engine server(server_context({certificate}));
    Wire wire(client, server);
    wire.shake_hands();
    CHECK(wire.both_done());
    return wire.both_done() ? std::string(server.agreed().suite) : "";
  };
  CHECK(agreed("TLS13-CHACHA20-POLY1305-SHA256:TLS13-AES256-GCM-SHA384:TLS13-AES128-GCM-SHA256", "git-rsa",
               Version::tls13) == "TLS_AES_128_GCM_SHA256");
  CHECK(agreed("TLS13-AES256-GCM-SHA384", "git-rsa", Version::tls13) == "TLS_AES_256_GCM_SHA384");
  CHECK(agreed("TLS13-CHACHA20-POLY1305-SHA256", "git-ecdsa", Version::tls13) ==
        "TLS_CHACHA20_POLY1305_SHA256");
  CHECK(agreed("ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "git-ecdsa", Version::tls12) ==
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256");
  CHECK(agreed("ECDHE-ECDSA-AES256-GCM-SHA384", "git-ecdsa", Version::tls12) ==
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384");
  CHECK(agreed("ECDHE-RSA-AES128-GCM-SHA256", "git-rsa", Version::tls12) ==
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
  CHECK(agreed("ECDHE-RSA-AES256-GCM-SHA384", "git-rsa", Version::tls12) ==
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
  CHECK(agreed("ECDHE-RSA-CHACHA20-POLY1305", "git-rsa", Version::tls12) ==
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256");
  CHECK(agreed("ECDHE-ECDSA-CHACHA20-POLY1305", "git-ecdsa", Version::tls12) ==
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256");
}

TEST_CASE("tls context: staples are checked when they are read") {
  const auto with = [](std::string_view certificate, std::string_view staple) {
    std::vector<Pair> all;
    all.push_back(pair(certificate, staple));
    return context_error(std::move(all));
  };
  CHECK(with("staple", "good.ocsp") == "");
  CHECK(with("staple", "revoked.ocsp") == "staple.ocsp: OCSP Cert revoked");
  CHECK(with("git-ecdsa", "good.ocsp") != "");  // about another certificate
  CHECK(
      with("staple", "ca.pem") ==
      "staple.ocsp: this is no OCSP answer (DER) about the certificate in staple.crt that its authority has "
      "signed and that holds today");
  std::vector<Pair> alone;
  alone.push_back(pair("staple", "good.ocsp"));
  alone.front().chain = certificate_file("staple.crt");
  CHECK(context_error(std::move(alone)) ==
        "staple.ocsp: its authority's certificate is missing: it comes second in staple.crt");

  // That it is sent, and to whom, tests/http/tls_test.py asks openssl; this client finds nothing wrong with
  // it.
  for (const Version version : {Version::tls12, Version::tls13}) {
    const auto is_content_with = [&](bool asks) {
      std::vector<Pair> all;
      all.push_back(pair("staple", "good.ocsp"));
      const auto clients = client_context("ca.pem", version);
      REQUIRE(wolfSSL_CTX_EnableOCSPStapling(clients->library()) == WOLFSSL_SUCCESS);
      Engine client(clients, "staple.example.com");
      if (asks) REQUIRE(wolfSSL_UseOCSPStapling(client.library(), WOLFSSL_CSR_OCSP, 0) == WOLFSSL_SUCCESS);
      Engine server(server_context({.pairs = std::move(all), .client_authorities = {}, .tickets = nullptr}));
      Wire wire(client, server);
      wire.shake_hands();
      return wire.both_done();
    };
    CHECK(is_content_with(true));
    CHECK(is_content_with(false));
  }
}
