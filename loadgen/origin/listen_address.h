// Words of the command line that become something else before anything is served.
#pragma once

#include <string>
#include <string_view>

#include "ring/address.h"

namespace breakwater::storm::origin {

// "127.0.0.1:8080", "[::1]:0": numbers, no names. False, and a sentence.
bool read_listen_address(std::string_view text, Address& address, std::string& why);

// What a client with this name and password sends (RFC 7617); empty without a name.
std::string basic_authorization(std::string_view user, std::string_view password);

}  // namespace breakwater::storm::origin
