// What servers are told of a client's certificate: nothing in it ends a value, or the field.
#include "proxy/client_certificate.h"

#include <doctest/doctest.h>

#include <string>

using namespace breakwater;
using namespace breakwater::proxy;

TEST_CASE("client certificate: everything by which it may be known") {
  tls::Certificate certificate;
  certificate.subject = "/CN=runner 7";
  certificate.serial = "1005";
  certificate.uris = {"spiffe://ci/runner/7"};
  certificate.dns_names = {"a.example.com", "b.example.com"};
  certificate.mailboxes = {"ci@example.com"};
  CHECK(client_certificate_value(certificate) ==
        "Subject=\"/CN=runner "
        "7\";Serial=\"1005\";URI=\"spiffe://ci/runner/7\";DNS=\"a.example.com\";DNS=\"b.example."
        "com\";Email=\"ci@example.com\"");
}

TEST_CASE("client certificate: a name that would forge another, or another field") {
  tls::Certificate certificate;
  certificate.subject = "/CN=x\";Subject=\"/CN=root\r\nX-User: root\\%\xc3\xa9";
  const std::string value = client_certificate_value(certificate);
  CHECK(value == "Subject=\"/CN=x%22;Subject=%22/CN=root%0D%0AX-User: root%5C%25%C3%A9\";Serial=\"\"");
}

TEST_CASE("client certificate: one with many names is cut between two") {
  tls::Certificate certificate;
  certificate.dns_names.assign(1000, "runner.example.com");
  const std::string value = client_certificate_value(certificate);
  CHECK(value.size() <= client_certificate_bytes_max);
  CHECK(value.ends_with("DNS=\"runner.example.com\""));
}
