// Writes a file of results, whole.
#pragma once

#include <string>

namespace breakwater::storm {

// False: it can't be written, which is said on standard error.
bool write_file(const std::string& path, const std::string& text);

}  // namespace breakwater::storm
