// Memory that is kept for when there is no other, so that what runs can go on and end: an allocation that
// fails gives it back and tries again, and whoever admits new work sees that it is gone.
//
// One for the process, for any thread. Its pages are never touched: it costs address space and nothing else.
#pragma once

#include <cstddef>

namespace breakwater::reserve {

// Some two cores' requests in service, as docs/memory.md adds them up.
inline constexpr size_t bytes = 64 * 1024 * 1024;

// True if it is there, or could be had again just now.
bool hold() noexcept;
// True if there was something to give back.
bool give_back() noexcept;

}  // namespace breakwater::reserve
