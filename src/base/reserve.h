// Memory that is kept for when there is no other, so that what runs can go on and end: an allocation that
// would fail gives it back, and whoever admits new work sees that it is gone.
//
// One for the process, for any thread. Its pages are never touched: it costs address space and nothing else.
#pragma once

#include <cstddef>

namespace breakwater::reserve {

// Some two cores' requests in service, as docs/memory.md adds them up.
inline constexpr size_t held_bytes = 64 * 1024 * 1024;

// True if it is there, or could be had again just now.
bool hold() noexcept;
// malloc(3)'s; if there is none, what is held goes for it. Null: even that was not enough.
void* allocate(size_t bytes) noexcept;

}  // namespace breakwater::reserve
