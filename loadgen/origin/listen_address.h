// Where the origin listens, out of its command line.
#pragma once

#include <string>
#include <string_view>

#include "ring/address.h"

namespace breakwater::storm::origin {

// "127.0.0.1:8080", "[::1]:0": numbers, no names. False, and a sentence.
bool read_listen_address(std::string_view text, Address& address, std::string& why);

}  // namespace breakwater::storm::origin
