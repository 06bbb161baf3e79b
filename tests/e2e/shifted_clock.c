// Loaded in front of libc (LD_PRELOAD): the wall clock of this process is so many seconds off as the file that
// $BREAKWATER_TEST_CLOCK names says, a signed 64-bit number that may change at any time. Clocks that only go forward are left alone.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long* offset_seconds;

__attribute__((constructor)) static void find_offset(void) {
  const char* path = getenv("BREAKWATER_TEST_CLOCK");
  const int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) abort();
  void* page = mmap(NULL, sizeof *offset_seconds, PROT_READ, MAP_SHARED, fd, 0);
  close(fd);
  if (page == MAP_FAILED) abort();
  offset_seconds = page;
}

int clock_gettime(clockid_t clock, struct timespec* at) {
  const long status = syscall(SYS_clock_gettime, clock, at);
  if (status == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) && offset_seconds != NULL)
    at->tv_sec += *offset_seconds;
  return (int)status;
}

int gettimeofday(struct timeval* restrict at, void* restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t* at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at != NULL) *at = now.tv_sec;
  return now.tv_sec;
}
