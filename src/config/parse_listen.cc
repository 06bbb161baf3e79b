// [listen.NAME] and [admin]: where clients come in.
#include "config/message.h"
#include "config/network.h"
#include "config/order.h"
#include "config/parse.h"
#include "config/tables.h"

namespace breakwater::config {
namespace {

void read_trusted(Reader& reader, const toml::node& node, const std::string& title, Listen& listen) {
  const toml::array* const array =
      reader.array(node, "trusted", title, "networks such as \"10.0.0.0/8\"", trusted_max);
  if (array == nullptr) return;
  for (const toml::node& item : *array) {
    const std::string* text = reader.text(item, "trusted", title, "a network such as \"10.0.0.0/8\"");
    if (text == nullptr) continue;
    Network network;
    std::string why;
    if (parse_network(*text, network, why))
      listen.trusted.push_back(network);
    else
      reader.report(item, in_quotes(*text) + " in `trusted` of " + title + ": " + why);
  }
}

// True if `name` is a key of TLS; then it was read.
bool read_tls(Reader& reader, std::string_view name, const toml::node& node, const std::string& title,
              ListenTls& tls, KeyOrigins& origins) {
  std::optional<bool> good;
  const auto one = [&](const auto& key) {
    if (key.name == name) good = reader.read(node, key, title, tls);
  };
  for (const auto& key : tls_path_keys) one(key);
  one(tls_minimum_key);
  one(tls_client_key);
  one(tls_client_header_key);
  one(tls_kernel_key);
  if (good) origins[name] = origin_of(node, *good);
  return good.has_value();
}

// Keys that would do nothing, and a client's certificate that nobody could check.
void check_tls(const TableDraft& in, const ListenTls& tls) {
  if (!in.origins.contains("tls")) {
    for (const auto& [name, origin] : in.origins)
      report_unused(in, name, "`tls`", "add tls = \"/etc/breakwater/certificates\", a folder");
    return;
  }
  if (tls.client == ListenTls::Client::off && !is_wrong(in.origins, "tls_client")) {
    for (const std::string_view key : {"tls_client_ca", "tls_client_crl", "tls_client_header"})
      report_unused(in, key, "`tls_client`", "add tls_client = \"required\"");
  } else if (!in.origins.contains("tls_client_ca")) {
    report_unused(in, "tls_client", "a `tls_client_ca`",
                  "name the file of the authorities that may sign clients' certificates");
  }
}

void read_redirect(Reader& reader, const toml::node& node, const std::string& title, Listen& listen) {
  const std::string* const text = reader.text(node, "redirect", title, "\"https\", or where to");
  if (text == nullptr) return;
  constexpr std::string_view scheme = "https://";
  const bool has_host = text->starts_with(scheme);
  std::string host = has_host ? text->substr(scheme.size()) : "";
  if (!host.empty() &&
      host.find(':', host.rfind(']') == std::string::npos ? 0 : host.rfind(']')) == std::string::npos)
    host += ":443";
  Endpoint endpoint;
  std::string why = "it is neither \"https\" nor such as \"https://git.example.com\"";
  if (*text == "https" || (has_host && parse_endpoint(host, endpoint, why) && !endpoint.host.empty())) {
    listen.redirect = *text;
    return;
  }
  reader.report(node, "`redirect` in " + title + " can't be " + in_quotes(*text) + ": " + why);
}

std::optional<Endpoint> read_bind(Reader& reader, const toml::node& node, const std::string& title,
                                  Reader::ParseEndpoint parse) {
  std::optional<Endpoint> endpoint = reader.bind(node, "bind", title, parse);
  if (endpoint) reader.draft.binds.push_back({title, *endpoint, place_of(node)});
  return endpoint;
}

}  // namespace

void read_listen(Reader& reader, const toml::key& key, const toml::table& table) {
  const std::string title = "[listen." + std::string(key.str()) + "]";
  Draft& draft = reader.draft;
  Listen listen;
  listen.name = key.str();
  KeyOrigins tls_origins;
  Place redirect_place;
  bool bind_seen = false, pool_seen = false;
  reader.each_key(table, title, listen_keys, [&](std::string_view name, const toml::node& node) {
    if (name == "bind") {
      bind_seen = true;
      listen.bind = read_bind(reader, node, title, parse_endpoint).value_or(Endpoint{});
    } else if (name == "pool") {
      pool_seen = true;
      if (const std::string* text = reader.text(node, name, title, "the name of a pool")) {
        listen.pool = *text;
        draft.pool_references.push_back({title, *text, place_of(node)});
      }
    } else if (name == "redirect") {
      redirect_place = place_of(node);
      read_redirect(reader, node, title, listen);
    } else if (!read_tls(reader, name, node, title, listen.tls, tls_origins)) {
      read_trusted(reader, node, title, listen);
    }
  });
  if (!listen.redirect.empty() && listen.tls.speaks())
    draft.report(redirect_place, "`redirect` in " + title + " would lead from TLS to TLS",
                 "it is for a listener without `tls`");
  if (draft.complete) check_tls({draft, title, tls_origins}, listen.tls);
  if (!bind_seen && draft.complete)
    reader.report(key, title + " has no `bind`", "for example bind = \"0.0.0.0:8080\"");
  if (!pool_seen && listen.redirect.empty())
    draft.listens_without_pool.push_back({draft.config.listens.size(), place_of(key)});
  draft.config.listens.push_back(std::move(listen));
}

void read_admin(Reader& reader, const toml::key& key, const toml::table& table) {
  Config& config = reader.draft.config;
  bool bind_seen = false;
  reader.each_key(table, "[admin]", admin_keys, [&](std::string_view, const toml::node& node) {
    bind_seen = true;
    const std::optional<Endpoint> endpoint = read_bind(reader, node, "[admin]", parse_endpoint_or_socket);
    config.admin_enabled = endpoint.has_value();
    config.admin = endpoint.value_or(Endpoint{});
  });
  if (!bind_seen && reader.draft.complete)
    reader.report(key, "[admin] has no `bind`", "for example bind = \"127.0.0.1:9090\"");
}

}  // namespace breakwater::config
