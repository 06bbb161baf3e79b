// A ring of the real kernel does what it was made for, and nothing else.
#include "ring/ring.h"

#include <dirent.h>
#include <doctest/doctest.h>
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

#include "ring/sys.h"

using namespace breakwater;

namespace {

// Of the only ring of this process.
int descriptor_of_ring() {
  int found = -1;
  DIR* const folder = opendir("/proc/self/fd");
  REQUIRE(folder != nullptr);
  while (const dirent* const each = readdir(folder)) {
    char target[64] = {};
    const std::string link = std::string("/proc/self/fd/") + each->d_name;
    if (readlink(link.c_str(), target, sizeof target - 1) <= 0) continue;
    if (std::string(target) == "anon_inode:[io_uring]") found = std::atoi(each->d_name);
  }
  closedir(folder);
  return found;
}

}  // namespace

TEST_CASE("a ring takes its operations, and is given nothing else to do") {
  std::string why;
  const std::unique_ptr<Ring> ring = Ring::open(8, why);
  REQUIRE_MESSAGE(ring != nullptr, why);
  int event = sys::make_event();
  REQUIRE(event >= 0);

  uint64_t count = 0;
  bool is_done = false;
  Op read;
  read.kind = Op::Kind::read;
  read.fd = event;
  read.data = &count;
  read.bytes = sizeof count;
  read.context = &is_done;
  read.on_complete = [](Op& op) { *static_cast<bool*>(op.context) = true; };
  ring->submit(read);
  sys::signal_event(event);
  ring->wait(-1);
  ring->dispatch();
  CHECK(is_done);
  CHECK(read.result == static_cast<int32_t>(sizeof count));

  // Both would succeed with a ring that takes everything.
  const int fd = descriptor_of_ring();
  REQUIRE(fd >= 0);
  CHECK(syscall(SYS_io_uring_register, fd, IORING_REGISTER_EVENTFD, &event, 1) == -1);
  CHECK(errno == EACCES);
  CHECK(syscall(SYS_io_uring_register, fd, IORING_REGISTER_PERSONALITY, nullptr, 0) == -1);
  CHECK(errno == EACCES);
  sys::close(event);
}
