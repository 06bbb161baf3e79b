// Files of results, whole: written, and read with a bound.
#pragma once

#include <cstddef>
#include <expected>
#include <string>

namespace breakwater::storm {

// False: it can't be written, which is said on standard error.
bool write_file(const std::string& path, const std::string& text);

// Otherwise a sentence.
std::expected<std::string, std::string> read_file(const std::string& path, size_t bytes_max);

}  // namespace breakwater::storm
