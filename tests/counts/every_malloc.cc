#include "counts/every_malloc.h"

#include <cerrno>
#include <cstddef>

namespace {
constinit thread_local uint64_t count = 0;
}

uint64_t breakwater::every_malloc() noexcept {
  return count;
}

// A program's own malloc takes the place of glibc's, which stays reachable by these names. free() is left
// alone.
extern "C" {

void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t things, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  count++;
  return __libc_malloc(bytes);
}
void* calloc(size_t things, size_t bytes) {
  count++;
  return __libc_calloc(things, bytes);
}
void* realloc(void* memory, size_t bytes) {
  count++;
  return __libc_realloc(memory, bytes);
}
void* aligned_alloc(size_t alignment, size_t bytes) {
  count++;
  return __libc_memalign(alignment, bytes);
}
int posix_memalign(void** memory, size_t alignment, size_t bytes) {
  count++;
  *memory = __libc_memalign(alignment, bytes);
  return *memory != nullptr ? 0 : ENOMEM;
}

}  // extern "C"
