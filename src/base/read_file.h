// Reads a file into memory: for start-up, and what is read again later. Never on a core.
#pragma once

#include <cstddef>
#include <string>

namespace breakwater {

// The first `bytes_max` of them, or all if there are fewer. False, with the reason, if they can't be read.
// Waits as long as the file makes it wait. What is read from a regular file is in one piece of memory only,
// so that whoever wipes `bytes` has wiped it.
bool read_file(const std::string& path, size_t bytes_max, std::string& bytes, std::string& why);

}  // namespace breakwater
