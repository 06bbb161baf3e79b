// Is a request of the admin listener one that a web page had a browser send?
//
// An operator's browser reaches addresses that an attacker does not, so a page could send a verb there, and
// by DNS rebinding (a name of the attacker's that suddenly means 127.0.0.1) even read the answers. Browsers
// say where such requests come from: in Origin, or by the name in Host. Pure.
#pragma once

#include <string_view>

namespace breakwater::app {

// "127.0.0.1:9090", "[::1]", "localhost". Empty, which no browser sends, is fine, too.
bool is_own_host(std::string_view host);

}  // namespace breakwater::app
