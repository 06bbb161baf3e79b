// TOML text in, a Config or every error at once out. Pure: reads no file, resolves no name.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "config/config.h"
#include "config/origins.h"
#include "config/problems.h"

namespace breakwater::config {

// Strict: unknown keys and tables are errors with the nearest known name as the hint; two levels deep at
// most; sizes and durations are strings with a unit ("30s", "500ms", "10m", "1h", "16KiB", "1MiB"; durations
// that allow it take "off"). Reports all problems of a file in one go, in order of their place.
// With a Config, `origins` (if it is asked for) says where its values came from.
std::variant<Config, Problems> parse(std::string_view toml, Origins* origins = nullptr);

// "127.0.0.1:8080", "[::1]:0", "host:3000", ":8080" (any address). False and a sentence in `why` if it is
// none.
bool parse_endpoint(std::string_view text, Endpoint& endpoint, std::string& why);
// The same, or "unix:/run/breakwater.sock".
bool parse_endpoint_or_socket(std::string_view text, Endpoint& endpoint, std::string& why);

// Would both ask for the same address and port? Spelling aside; "" and 0.0.0.0 are any address of IPv4, and
// :: is any of IPv6; port 0 never collides.
bool same_bind(const Endpoint& a, const Endpoint& b);
// Does one take what the other asks for? The same bind, or any address and one of its kind: such a pair can't
// be bound. Whether :: leaves IPv4 to others is the system's to say (net.ipv6.bindv6only), when it is bound.
bool overlap(const Endpoint& a, const Endpoint& b);
// Is a server at that address who listens at `bind` himself, as far as can be seen without asking for names?
// Here :: is expected to take IPv4 as well.
bool leads_back(const Endpoint& server, const Endpoint& bind);

}  // namespace breakwater::config
