// How a server is probed, as operators write it.
#pragma once

#include <string>
#include <string_view>

#include "config/config.h"

namespace breakwater::config {

// "off", "tcp", "http /path", "http /path 204", "git /owner/repo.git". Sets type, path and status, and leaves
// times and counts alone. False and a sentence in `why` if it is no probe; `probe` is untouched then.
bool parse_probe(std::string_view text, Probe& probe, std::string& why);

// The same text back, in its shortest form.
std::string format_probe(const Probe& probe);

// May `path` stand in a request? Begins with '/', of visible ASCII, no query and no fragment, not endless.
// False and a sentence in `why` otherwise.
bool check_request_path(std::string_view path, std::string& why);

}  // namespace breakwater::config
