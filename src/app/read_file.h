// A file's bytes, whole.
#pragma once

#include <cstddef>
#include <string>

namespace breakwater::app {

// False, with the reason, if it can't be read or has more than `bytes_max`. A FIFO that nobody writes to
// would wait for ever, so only regular files are read.
bool read_file(const std::string& path, size_t bytes_max, std::string& bytes, std::string& why);

}  // namespace breakwater::app
