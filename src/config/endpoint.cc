// host:port, networks and patterns of hosts, as text. Nothing here asks a resolver.
#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/lower_case.h"
#include "base/parse_ip.h"
#include "base/parse_number.h"
#include "config/network.h"
#include "config/parse.h"
#include "config/server.h"

namespace breakwater::config {
namespace {

struct Address {
  int family = AF_UNSPEC;
  std::array<uint8_t, 16> bytes{};
  bool operator==(const Address&) const = default;
};

// What makes an IPv6 address of an IPv4 one.
constexpr std::array<uint8_t, 12> v4_mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr unsigned v4_from = 96;  // bits

bool parse_address(std::string_view text, Address& address) {
  address = {};
  address.family = text.find(':') != std::string_view::npos ? AF_INET6 : AF_INET;
  return parse_ip(address.family, text, address.bytes.data());
}

std::string text_of(const Address& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool parse_port(std::string_view text, uint16_t& port) {
  return parse_number(text, port) && text.size() <= 5;
}

bool check_host(std::string_view host, bool bracketed, std::string& why) {
  Address address;
  if (bracketed) {
    if (host.find(':') != std::string_view::npos && parse_address(host, address)) return true;
    why = "only an IPv6 address goes into brackets";
    return false;
  }
  if (host.empty()) return true;  // any address
  if (host == "*") {
    why = "for any address leave the host out, as in \":8080\"";
    return false;
  }
  const bool looks_v4 = std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
  if (looks_v4 && !parse_address(host, address)) {
    why = "this is not an IPv4 address";
    return false;
  }
  if (!looks_v4 && !is_host_name(host)) {
    why = "the host is neither a name nor an IP address";
    return false;
  }
  return true;
}

// Two spellings of one address compare equal: "::1" and "0:0::1", "Host" and "host", and "" and "0.0.0.0".
std::string canonical_host(std::string_view host) {
  Address address;
  if (host.empty() || host == "0.0.0.0") return "";
  if (parse_address(host, address)) return text_of(address);
  return lower_case(host);
}

bool is_any(std::string_view host) {
  const std::string canonical = canonical_host(host);
  return canonical.empty() || canonical == "::";
}

// Does a socket that is bound to `any` take what is meant for `other`, another address or name, on every
// system? Whether that of IPv6 takes IPv4 as well depends. What a name stands for is not known.
bool any_takes(std::string_view any, std::string_view other) {
  Address address;
  const int family = any.find(':') != std::string_view::npos ? AF_INET6 : AF_INET;
  return is_any(any) && parse_address(other, address) && address.family == family;
}

// Who connects to any address gets to the loopback, too.
bool is_loopback(std::string_view host) {
  Address address;
  if (!parse_address(host, address)) return false;
  return is_any(host) || (address.family == AF_INET ? address.bytes[0] == 127 : text_of(address) == "::1");
}

}  // namespace

bool is_host_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  char previous = '.';
  size_t label_bytes = 0;
  for (const char c : host) {
    if (!is_letter(c) && !is_digit(c) && c != '-' && c != '_' && c != '.') return false;
    if (previous == '.' && (c == '.' || c == '-')) return false;
    label_bytes = c == '.' ? 0 : label_bytes + 1;
    if (label_bytes > 63) return false;
    previous = c;
  }
  return true;
}

bool parse_endpoint(std::string_view text, Endpoint& endpoint, std::string& why) {
  const auto fail = [&](std::string_view sentence) {
    why = sentence;
    return false;
  };
  if (text.empty()) return fail("an address is missing; write host:port");
  if (text.starts_with("unix:/")) return fail("a unix socket has no place here; write host:port");
  if (text.find("://") != std::string_view::npos) return fail("this is a URL; write only host:port");
  if (text.find('/') != std::string_view::npos) return fail("a path has no place here; write only host:port");

  const bool bracketed = text.front() == '[';
  std::string_view host, port;
  if (bracketed) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return fail("the closing bracket is missing");
    host = text.substr(1, end - 1);
    const std::string_view rest = text.substr(end + 1);
    if (rest.empty() || rest.front() != ':') return fail("the port is missing; write [address]:port");
    port = rest.substr(1);
  } else {
    const size_t colon = text.find(':');
    if (colon == std::string_view::npos) return fail("the port is missing; write host:port");
    host = text.substr(0, colon);
    port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos)
      return fail("write an IPv6 address in brackets, as in [::1]:8080");
  }
  if (!check_host(host, bracketed, why)) return false;
  uint16_t number = 0;
  if (port.empty()) return fail("the port is missing; write host:port");
  if (!parse_port(port, number)) return fail("the port is not a number from 0 to 65535");
  endpoint = {.host = std::string(host), .port = number};
  return true;
}

bool same_bind(const Endpoint& a, const Endpoint& b) {
  if (a.port == 0 || b.port == 0) return false;  // each gets a port of its own
  return a.port == b.port && canonical_host(a.host) == canonical_host(b.host);
}

bool overlap(const Endpoint& a, const Endpoint& b) {
  if (a.port == 0 || a.port != b.port) return false;
  return same_bind(a, b) || any_takes(a.host, b.host) || any_takes(b.host, a.host);
}

bool leads_back(const Endpoint& server, const Endpoint& bind) {
  if (!server.path.empty() || server.service || server.port != bind.port) return false;
  if (same_bind(server, bind)) return true;
  if (canonical_host(server.host) == "localhost") return is_any(bind.host);
  return is_loopback(server.host) && (any_takes(bind.host, server.host) || canonical_host(bind.host) == "::");
}

bool same_server(const Endpoint& a, const Endpoint& b) {
  return a.path == b.path && a.port == b.port && a.service == b.service &&
         canonical_host(a.host) == canonical_host(b.host);
}

bool is_name(const Endpoint& endpoint) {
  Address address;
  return endpoint.path.empty() && !parse_address(endpoint.host, address);
}

bool check_host_pattern(std::string_view host, std::string& why) {
  const bool is_pattern = host.starts_with("*.");
  const std::string_view name = is_pattern ? host.substr(2) : host;
  why.clear();
  if (host.empty())
    why = "leave it out for any host";
  else if (name.find(':') != std::string_view::npos)
    why = "a host is a name or an IPv4 address, without a port";
  else if (name.find('*') != std::string_view::npos)
    why = "a * stands in front only, as in \"*.example.com\"";
  else if (name.ends_with('.'))
    why = "leave the last dot out";
  else if (!is_host_name(name))
    why = "this is not the name of a host";
  return why.empty();
}

std::string Network::text() const {
  const bool is_v4 = bits >= v4_from && std::equal(v4_mapped.begin(), v4_mapped.end(), prefix.begin());
  Address address{is_v4 ? AF_INET : AF_INET6, {}};
  std::copy(prefix.begin() + (is_v4 ? v4_mapped.size() : 0), prefix.end(), address.bytes.begin());
  return text_of(address) + "/" + std::to_string(is_v4 ? bits - v4_from : bits);
}

bool parse_network(std::string_view text, Network& network, std::string& why) {
  const size_t slash = text.find('/');
  Address address;
  if (!parse_address(text.substr(0, slash), address)) {
    why = "this is not a network such as \"10.0.0.0/8\" or \"fd00::/8\"";
    return false;
  }
  const bool is_v4 = address.family == AF_INET;
  const unsigned bits_max = is_v4 ? 32 : 128;
  unsigned bits = bits_max;
  if (slash != std::string_view::npos && (!parse_number(text.substr(slash + 1), bits) || bits > bits_max)) {
    why = "the length of the network must be a number from 0 to " + std::to_string(bits_max);
    return false;
  }
  network = {address.bytes, bits};
  if (is_v4) {
    network.bits += v4_from;
    std::copy_n(address.bytes.begin(), 4,
                std::copy(v4_mapped.begin(), v4_mapped.end(), network.prefix.begin()));
  }
  const Network written = network;
  for (unsigned bit = network.bits; bit < 128; ++bit)
    network.prefix[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
  if (network == written) return true;
  why = "bits are set past the network's length; did you mean \"" + network.text() + "\"?";
  return false;
}

}  // namespace breakwater::config
