// Every call of the C allocator on this thread, whoever makes it: our own code, a library, libc itself.
#pragma once

#include <cstdint>

namespace breakwater {

uint64_t every_malloc() noexcept;

}  // namespace breakwater
