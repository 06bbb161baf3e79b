#include "client/site.h"

#include <netdb.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "plan/basic_authorization.h"

namespace breakwater::storm {

namespace {

constexpr const char* system_authorities = "/etc/ssl/certs/ca-certificates.crt";

std::expected<Address, std::string> look_up(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int status = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (status != 0) return std::unexpected("can't look up " + host + ": " + gai_strerror(status));
  Address address;
  std::memcpy(&address.v6, found->ai_addr, found->ai_addrlen);
  address.bytes = found->ai_addrlen;
  freeaddrinfo(found);
  return address;
}

std::expected<std::shared_ptr<const tls::ClientContext>, std::string> make_tls(const Target& target) {
  tls::ClientContextSettings settings;
  settings.verifies = target.tls_verify;
  if (target.tls_verify) {
    const std::string name = target.tls_ca.empty() ? system_authorities : target.tls_ca;
    std::ifstream file(name, std::ios::binary);
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (!file.is_open() || text.empty()) return std::unexpected("can't read the authorities in " + name);
    settings.authorities.certificates = {name, tls::Secret(std::move(text))};
  }
  std::expected<std::shared_ptr<const tls::ClientContext>, tls::Errors> made =
      tls::ClientContext::make(std::move(settings));
  if (!made) return std::unexpected(made.error().empty() ? "TLS can't be had" : made.error().front());
  return *made;
}

}  // namespace

std::string_view Site::path_of(std::string_view url) const {
  const std::string here = (tls != nullptr ? "https://" : "http://") + authority;
  if (url.starts_with(here)) url.remove_prefix(here.size());
  return url.starts_with('/') ? url : std::string_view();
}

std::expected<Site, std::string> make_site(const Target& target) {
  Site site;
  const std::expected<Address, std::string> address = look_up(target.host, target.port);
  if (!address) return std::unexpected(address.error());
  site.address = *address;
  const bool is_v6_text = target.host.find(':') != std::string::npos;
  site.authority = is_v6_text ? "[" + target.host + "]" : target.host;
  if (target.port != (target.tls ? 443 : 80)) site.authority += ":" + std::to_string(target.port);
  if (!target.secret.empty() || !target.user.empty()) {
    site.basic = basic_authorization(target.user, target.secret);
    site.bearer = "Bearer " + target.secret;
  }
  if (!target.tls) return site;
  std::expected<std::shared_ptr<const tls::ClientContext>, std::string> tls = make_tls(target);
  if (!tls) return std::unexpected(tls.error());
  site.tls = std::move(*tls);
  site.tls_name = target.tls_name.empty() ? target.host : target.tls_name;
  return site;
}

}  // namespace breakwater::storm
