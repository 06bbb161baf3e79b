// Which header fields a proxy may not pass on as they came. One table each; ASCII case-insensitive, and '_'
// counts as
// '-', because CGI servers fold the two.
#pragma once

#include <string_view>

namespace breakwater::wire {

// Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding, Upgrade and the like (RFC 9110
// §7.6.1).
bool is_hop_by_hop(std::string_view name) noexcept;
// Fields by which a server would believe who the user is: X-WEBAUTH-*,
// X-Forwarded-User/-Email/-Groups/-Preferred- Username/-Access-Token, Remote-User and family, X-Remote-*,
// X-Auth-Request-*, and so on. Never passed on from anyone.
bool is_identity(std::string_view name) noexcept;
// X-Forwarded-For/-Proto/-Host/-Port/-Server/..., Forwarded, X-Real-IP, True-Client-IP, X-Original-URL,
// X-Request-Id ...: believed only from a trusted network.
bool is_forwarding(std::string_view name) noexcept;
// Fields that may not be in a trailer (RFC 9110 §6.5.1): framing, routing, authentication, content, control.
bool is_forbidden_in_trailer(std::string_view name) noexcept;

// A spelling with '_' of a field whose meaning decides framing or routing (content_length, transfer_encoding,
// host ...): one server ignores it, another takes it for the real thing.
bool is_ambiguous_spelling(std::string_view name) noexcept;

}  // namespace breakwater::wire
