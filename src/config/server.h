// A server of a pool as operators write it, and how it is probed.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

// "10.0.0.12:3000", "unix:/run/gogs.sock", and behind it, each at most once: "weight=50", "backup". False and
// a sentence in `why` if it is no server; `server` is untouched then.
bool parse_server(std::string_view text, Server& server, std::string& why);

// Do both name the same server? Spelling aside ("[::1]" and "[0::1]"); no name is resolved.
bool same_server(const Endpoint& a, const Endpoint& b);

}  // namespace breakwater::config
