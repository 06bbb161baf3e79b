// Credentials as a client shows them, and as a server knows them again. Pure.
#pragma once

#include <string>
#include <string_view>

namespace breakwater::storm {

// "Basic dXNlcjpzZWNyZXQ=" (RFC 7617); empty without a name.
std::string basic_authorization(std::string_view user, std::string_view secret);

}  // namespace breakwater::storm
