// Networks (CIDR) and patterns of hosts as text.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

// A network (CIDR, RFC 4632), or a single address, which becomes a /32 or /128. False and a sentence in `why`
// if it is none, or if bits are set past its length.
bool parse_network(std::string_view text, Network& network, std::string& why);

// A name by RFC 1123 §2.1, or one with '_', which the names of containers and services have.
bool is_host_name(std::string_view host);

// May `host` be that of a route? "git.example.com", "10.0.0.1", or "*.example.com" for all below it; in any
// case of letters, without a port. False and a sentence in `why` otherwise.
bool check_host_pattern(std::string_view host, std::string& why);

}  // namespace breakwater::config
