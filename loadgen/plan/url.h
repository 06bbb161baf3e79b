// URLs of what is stormed, for a Target: a repository's as Git takes it ("https://host:8443/team/app.git"),
// and a server's ("http://host:3000/git"), with the prefix of all its repositories. Pure.
#pragma once

#include <string>
#include <string_view>

#include "plan/scenario.h"

namespace breakwater::storm {

// Scheme, host, port and one repository of `target`. Otherwise a sentence; credentials have no place in it,
// where every list of processes shows them.
std::string read_url(std::string_view url, Target& target);

// Scheme, host, port and prefix of `target`. Otherwise a sentence.
std::string read_server_url(std::string_view url, Target& target);

// The other way: "http://[::1]:3000/git".
std::string server_url(const Target& target);

// "/team/app.git" of "team/app.git", "/team/app.git/". Empty: it is no path that a request could have.
std::string read_repository(std::string_view path);

}  // namespace breakwater::storm
