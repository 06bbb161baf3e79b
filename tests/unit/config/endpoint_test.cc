// Addresses as operators write them: HOST:PORT, [v6]:PORT, and every wrong form with its sentence.
#include <doctest/doctest.h>

#include <string>

#include "config/network.h"
#include "config/parse.h"

using namespace breakwater::config;

TEST_CASE("endpoint: what is accepted, and printed back") {
  struct Case {
    const char *text, *host;
    uint16_t port;
  };
  for (const Case& c :
       {Case{"127.0.0.1:8080", "127.0.0.1", 8080}, Case{"[::1]:0", "::1", 0}, Case{"host:3000", "host", 3000},
        Case{":8080", "", 8080}, Case{"a-b.c_d.example:65535", "a-b.c_d.example", 65535},
        Case{"[fd00::1:2]:80", "fd00::1:2", 80}, Case{"gogs.:1", "gogs.", 1}}) {
    CAPTURE(c.text);
    Endpoint endpoint;
    std::string why;
    REQUIRE(parse_endpoint(c.text, endpoint, why));
    CHECK(endpoint.host == c.host);
    CHECK(endpoint.port == c.port);
    CHECK(endpoint.text() == c.text);
  }
}

TEST_CASE("endpoint: what is refused, with a sentence") {
  for (const char* text : {"",
                           "host",
                           "host:",
                           "host:x",
                           "host:65536",
                           "host:-1",
                           "host:+1",
                           "host: 1",
                           "host:000080",
                           "1.2.3:80",
                           "256.1.1.1:80",
                           "1.2.3.4.5:80",
                           "::1:80",
                           "[::1]",
                           "[::1]80",
                           "[::1",
                           "[::g]:80",
                           "[1.2.3.4]:80",
                           "[host]:80",
                           "http://host:80",
                           "host:80/",
                           "*:80",
                           "ho st:80",
                           "-host:80",
                           "a..b:80",
                           ".a:80",
                           "h\xC3\xB6st:80",
                           "[::1]:",
                           "user@host:80",
                           "[fe80::1%eth0]:80",
                           "unix:/run/x",
                           "unix:x"}) {
    CAPTURE(text);
    Endpoint endpoint{"untouched", 7};
    std::string why;
    CHECK_FALSE(parse_endpoint(text, endpoint, why));
    CHECK_FALSE(why.empty());
    CHECK(endpoint == Endpoint{"untouched", 7});
  }
  Endpoint endpoint;
  std::string why;
  CHECK_FALSE(parse_endpoint(std::string_view("ho\0st:80", 8), endpoint, why));
  CHECK_FALSE(parse_endpoint(std::string(254, 'a') + ":80", endpoint, why));
  CHECK_FALSE(parse_endpoint(std::string(64, 'a') + ".b:80", endpoint, why));
}

TEST_CASE("endpoint: two spellings of one address are the same bind") {
  CHECK(same_bind({"", 80}, {"0.0.0.0", 80}));
  CHECK(same_bind({"::", 80}, {"0::0", 80}));
  CHECK(same_bind({"::1", 80}, {"0:0:0:0:0:0:0:1", 80}));
  CHECK(same_bind({"Host", 80}, {"host", 80}));
  CHECK_FALSE(same_bind({"", 80}, {"127.0.0.1", 80}));
  CHECK_FALSE(same_bind({"", 80}, {"::", 80}));
  CHECK_FALSE(same_bind({"a", 80}, {"a", 81}));
  CHECK_FALSE(same_bind({"a", 0}, {"a", 0}));
}

TEST_CASE("endpoint: what can't be bound beside each other") {
  CHECK(overlap({"", 80}, {"127.0.0.1", 80}));
  CHECK(overlap({"10.0.0.1", 80}, {"0.0.0.0", 80}));
  CHECK(overlap({"::", 80}, {"::1", 80}));
  CHECK_FALSE(overlap({"", 80}, {"::1", 80}));
  CHECK_FALSE(overlap({"", 80}, {"host", 80}));
  CHECK_FALSE(overlap({"127.0.0.1", 80}, {"127.0.0.2", 80}));
  CHECK_FALSE(overlap({"", 80}, {"127.0.0.1", 81}));
  CHECK_FALSE(overlap({"", 0}, {"127.0.0.1", 0}));
}

TEST_CASE("endpoint: any address of IPv6 beside one of IPv4 was refused where the system allows it") {
  CHECK_FALSE(overlap({"::", 80}, {"127.0.0.1", 80}));
  CHECK_FALSE(overlap({"127.0.0.1", 80}, {"0::", 80}));
  CHECK_FALSE(overlap({"", 80}, {"::", 80}));
  CHECK_FALSE(overlap({"::", 80}, {"0.0.0.0", 80}));
}

TEST_CASE("endpoint: a server that is the listener itself") {
  CHECK(leads_back({"127.0.0.1", 80}, {"127.0.0.1", 80}));
  CHECK(leads_back({"127.0.0.1", 80}, {"", 80}));
  CHECK(leads_back({"Localhost", 80}, {"0.0.0.0", 80}));
  CHECK(leads_back({"::1", 80}, {"::", 80}));
  CHECK(leads_back({"127.0.0.1", 80}, {"::", 80}));
  CHECK(leads_back({"0.0.0.0", 80}, {"::", 80}));
  CHECK(leads_back({"localhost", 80}, {"::", 80}));
  CHECK(leads_back({"git.example.com", 80}, {"git.example.com", 80}));
  CHECK_FALSE(leads_back({"::1", 80}, {"", 80}));
  CHECK_FALSE(leads_back({"10.0.0.1", 80}, {"", 80}));  // whose that is only the system knows
  CHECK_FALSE(leads_back({"127.0.0.1", 81}, {"", 80}));
  CHECK_FALSE(leads_back({.path = "/run/gogs.sock"}, {"", 80}));
  CHECK_FALSE(leads_back({.host = "_git._tcp.example.com", .service = true}, {"", 0}));
}

TEST_CASE("network: normal form, and what is refused") {
  Network network;
  std::string why;
  const auto normal = [&](std::string_view text) {
    return parse_network(text, network, why) ? network.text() : "no: " + why;
  };
  CHECK(normal("10.0.0.0/8") == "10.0.0.0/8");
  CHECK(normal("0.0.0.0/0") == "0.0.0.0/0");
  CHECK(normal("192.0.2.7") == "192.0.2.7/32");
  CHECK(normal("FD00:0::/8") == "fd00::/8");
  CHECK(normal("::1") == "::1/128");
  CHECK(normal("::ffff:10.0.0.0/104") == "10.0.0.0/8");
  CHECK(normal("::/0") == "::/0");
  CHECK(normal("::ffff:0.0.0.0/95") ==
        "no: bits are set past the network's length; did you mean \"::fffe:0:0/95\"?");
  CHECK(normal("10.0.0.1/8") == "no: bits are set past the network's length; did you mean \"10.0.0.0/8\"?");
  for (const char* text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "fd00::/129", "10.0.0.0/8/8",
                           "10.0.0.0/-1", "host/8", "10.0.0/8", "10.0.0.0/8 ", "10.0.0.0/0x8"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_network(text, network, why));
  }
}
