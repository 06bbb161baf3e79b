// A server of a pool as operators write it, and how it is probed.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

// "10.0.0.12:3000", "git1:3000", "srv:_git._tcp.example.com", "unix:/run/gogs.sock", and behind it, each at
// most once: "weight=50", "max=20", "backup", "primary" and, of a name, "slots=4". False and a sentence in
// `why` if it is no server; `server` is untouched then.
bool parse_server(std::string_view text, Server& server, std::string& why);

// Do both name the same server? Spelling aside ("[::1]" and "[0::1]"); no name is resolved.
bool same_server(const Endpoint& a, const Endpoint& b);

// Is it looked up? An IP address and a unix socket are not.
bool is_name(const Endpoint& endpoint);

// How many addresses it, or all servers of a pool together, may have at once.
uint32_t slots_of(const Server& server);
uint32_t slots_of(const Pool& pool);

}  // namespace breakwater::config
