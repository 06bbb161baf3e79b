// TLS of listeners and of pools, and redirections to it: what is taken, and what would do nothing or harm.
#include <doctest/doctest.h>

#include <string>

#include "config/schema.h"
#include "parsing.h"

using namespace breakwater::config;

namespace {

// "line:column message | hint" of the problem that the text has; empty if it has none.
std::string all(const std::string& text) {
  const auto parsed = parse(text);
  const auto* const problems = std::get_if<Problems>(&parsed);
  if (problems == nullptr) return "";
  if (problems->size() != 1) return render(*problems, "test.toml", text);
  const Problem& problem = problems->front();
  const std::string told =
      std::to_string(problem.line) + ":" + std::to_string(problem.column) + " " + problem.message;
  return problem.hint.empty() ? told : told + " | " + problem.hint;
}

// The problems of a listener, and of a pool, with these keys. Their first line is the 5th.
std::string of_listen(const std::string& keys) {
  return all("[pool.gogs]\nservers = ['a:1']\n[listen.git]\nbind = ':80'\n" + keys);
}
std::string of_pool(const std::string& keys, const std::string& servers = "'a:1'") {
  return all("[listen.git]\nbind = ':80'\n[pool.gogs]\nservers = [" + servers + "]\n" + keys);
}

}  // namespace

TEST_CASE("tls: every key of a listener and of a pool") {
  const Config config = good(R"(
[listen.git]
bind = ":443"
tls = "/etc/certificates"
tls_minimum = "1.3"
tls_ticket_keys = "/etc/tickets"
tls_client = "optional"
tls_client_ca = "/etc/ca.pem"
tls_client_crl = "/etc/crl.pem"
tls_client_header = true
tls_kernel = false
[listen.plain]
bind = ":80"
redirect = "https"
[pool.gogs]
servers = ["git1:443"]
tls = true
tls_name = "gogs.internal"
tls_ca = "/etc/gogs.pem"
tls_crl = "/etc/gogs-crl.pem"
tls_certificate = "/etc/edge.pem"
)");
  const ListenTls& tls = config.listens[0].tls;
  CHECK(tls.speaks());
  CHECK(tls.certificates == "/etc/certificates");
  CHECK(tls.minimum == ListenTls::Minimum::tls13);
  CHECK(tls.ticket_keys == "/etc/tickets");
  CHECK(tls.client == ListenTls::Client::optional);
  CHECK(tls.client_ca == "/etc/ca.pem");
  CHECK(tls.client_crl == "/etc/crl.pem");
  CHECK(tls.tells_servers);
  CHECK_FALSE(tls.kernel);
  CHECK_FALSE(config.listens[1].tls.speaks());
  CHECK(config.listens[1].redirect == "https");
  const ServerTls& servers = config.pools[0].tls;
  CHECK(servers.on);
  CHECK(servers.verifies);
  CHECK(servers.name == "gogs.internal");
  CHECK(servers.ca == "/etc/gogs.pem");
  CHECK(servers.crl == "/etc/gogs-crl.pem");
  CHECK(servers.certificate == "/etc/edge.pem");
}

TEST_CASE("tls: keys of a listener that would do nothing") {
  CHECK(of_listen("tls_minimum = '1.3'\n") ==
        "5:15 `tls_minimum` in [listen.git] is only used with `tls` | add tls = "
        "\"/etc/breakwater/certificates\", a folder");
  CHECK(
      of_listen("tls = '/c'\ntls_client_ca = '/ca'\n") ==
      "6:17 `tls_client_ca` in [listen.git] is only used with `tls_client` | add tls_client = \"required\"");
  CHECK(of_listen("tls = '/c'\ntls_client = 'required'\n") ==
        "6:14 `tls_client` in [listen.git] is only used with a `tls_client_ca` | name the file of the "
        "authorities that may sign clients' certificates");
  CHECK(of_listen("tls = '/c'\ntls_minimum = '1.0'\n") != "");
}

TEST_CASE("tls: keys of a pool that would do nothing, and names that could be anybody's") {
  CHECK(of_pool("tls_name = 'x'\n") ==
        "5:12 `tls_name` in [pool.gogs] is only used with `tls` | add tls = true");
  CHECK(of_pool("tls = true\ntls_verify = false\ntls_ca = '/ca'\n") ==
        "7:10 `tls_ca` in [pool.gogs] is only used with `tls_verify`");
  CHECK(of_pool("tls = true\n", "'unix:/run/gogs.sock'") ==
        "5:7 the certificate of \"unix:/run/gogs.sock\" in [pool.gogs] could be for any name | add the "
        "`tls_name` that it is for");
  CHECK(of_pool("tls = true\ntls_name = 'gogs'\n", "'unix:/run/gogs.sock'") == "");
  CHECK(of_pool("tls = true\ntls_name = 'no host'\n") ==
        "6:12 `tls_name` in [pool.gogs] can't be \"no host\": it is no name of a host");
}

TEST_CASE("redirect: where to, and not from TLS") {
  CHECK(of_listen("redirect = 'https'\n") == "");
  CHECK(of_listen("redirect = 'https://git.example.com'\n") == "");
  CHECK(of_listen("redirect = 'https://[::1]:8443'\n") == "");
  CHECK(
      of_listen("redirect = 'http://git.example.com'\n") ==
      "5:12 `redirect` in [listen.git] can't be \"http://git.example.com\": it is neither \"https\" nor such "
      "as \"https://git.example.com\"");
  CHECK(of_listen("redirect = 'https://'\n") != "");
  CHECK(of_listen("redirect = 'https://a/b'\n") != "");
  CHECK(of_listen("redirect = 'https'\ntls = '/c'\n") ==
        "5:12 `redirect` in [listen.git] would lead from TLS to TLS | it is for a listener without `tls`");
}
