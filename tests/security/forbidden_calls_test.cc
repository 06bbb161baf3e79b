// Each case makes a process of its own, puts it into the proxy's sandbox, and has it do one thing.
#include <doctest/doctest.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>

#include "app/sandbox.h"

using namespace breakwater;

namespace {

constexpr int no_sandbox = 99;  // an exit status, as those below

using Deed = int (*)();

// What became of a process that did it in the sandbox: waitpid's status.
int status_after(Deed deed) {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGABRT, SIG_DFL);  // doctest would tell of it
    std::string why;
    const bool is_in =
        app::keep_what_starting_needs(why) && app::give_up_privileges(why) && app::filter_system_calls(why);
    if (!is_in) std::fprintf(stderr, "%s\n", why.c_str());
    _exit(is_in ? deed() : no_sandbox);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  return status;
}

bool kills(Deed deed) {
  const int status = status_after(deed);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
}

// The exit status; -1 if it was killed.
int result_of(Deed deed) {
  const int status = status_after(deed);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int as_status(bool good) {
  return good ? 0 : 1;
}

}  // namespace

TEST_CASE("what serving needs goes on") {
  CHECK(result_of([] { return 7; }) == 7);
  CHECK(result_of([] {
          const int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
          char text[64];
          const bool is_read = read(fd, text, sizeof text) > 0;
          return as_status(is_read && close(fd) == 0);
        }) == 0);
  CHECK(result_of([] { return as_status(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0); }) == 0);
  CHECK(result_of([] {
          void* const large = std::malloc(64 << 20);
          // The end of the process gives it back. NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
          return as_status(large != nullptr && std::realloc(large, 128 << 20) != nullptr);
        }) == 0);
}

TEST_CASE("abort still ends by SIGABRT, so that a core is written") {
  const int status = status_after([]() -> int { std::abort(); });
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("what breaks out ends the process") {
  CHECK(kills([] { return execl("/bin/true", "true", static_cast<char*>(nullptr)); }));
  CHECK(kills([] { return static_cast<int>(ptrace(PTRACE_TRACEME, 0, nullptr, nullptr)); }));
  CHECK(kills([] { return static_cast<int>(fork()); }));
  CHECK(kills([] {
    std::thread([] {}).join();
    return 0;
  }));
  CHECK(kills([] { return kill(getppid(), 0); }));
  CHECK(kills([] { return static_cast<int>(syscall(SYS_tgkill, 1, 1, 0)); }));
  CHECK(kills([] {
    const sockaddr nowhere{};
    return bind(0, &nowhere, sizeof nowhere);
  }));
  CHECK(kills([] { return listen(0, 1); }));
  CHECK(kills([] { return setuid(0); }));
  CHECK(kills([] { return unshare(CLONE_NEWUSER); }));
  CHECK(kills([] { return rename("/nonexistent", "/nonexistent"); }));
  CHECK(kills([] { return chmod("/nonexistent", 0); }));
  CHECK(kills([] { return static_cast<int>(syscall(SYS_bpf, 0, nullptr, 0)); }));
  CHECK(kills([] { return static_cast<int>(syscall(SYS_process_vm_readv, 1, nullptr, 0, nullptr, 0, 0)); }));
  CHECK(kills([] { return static_cast<int>(syscall(SYS_memfd_create, "", 0)); }));
  CHECK(kills([] { return static_cast<int>(syscall(SYS_seccomp, 0, 0, nullptr)); }));
}

// A ring of somebody else's making would take any operation, unseen by the filter.
TEST_CASE("no further ring can be made") {
  CHECK(kills([] {
    io_uring_params params{};
    return static_cast<int>(syscall(SYS_io_uring_setup, 8, &params));
  }));
}

TEST_CASE("no memory can be executed that could not before") {
  CHECK(kills([] {
    return as_status(mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                     MAP_FAILED);
  }));
  CHECK(kills([] {
    void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
  }));
}

TEST_CASE("what a library may try and do without is an error") {
  CHECK(result_of([] { return as_status(socket(AF_NETLINK, SOCK_RAW, 0) == -1 && errno == EPERM); }) == 0);
  CHECK(result_of([] { return as_status(fcntl(0, F_SETOWN, 1) == -1 && errno == EPERM); }) == 0);
  CHECK(result_of([] { return as_status(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1 && errno == EPERM); }) == 0);
}

#ifdef __x86_64__
// The calls of 32-bit programs have other numbers: 11 is execve there, and munmap here.
TEST_CASE("the calls of 32-bit programs end the process") {
  const int status = status_after([] {
    long result = 0;
    asm volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");  // getpid
    return static_cast<int>(result);
  });
  CHECK(WIFSIGNALED(status));
  CHECK((WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));  // a kernel need not have them at all
}
#endif

TEST_CASE("threads that ran before are in the sandbox, too") {
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    std::string why;
    int ends[2];
    if (pipe(ends) != 0) _exit(no_sandbox);
    std::thread other([&ends] {
      char go = 0;
      if (read(ends[0], &go, 1) == 1) execl("/bin/true", "true", static_cast<char*>(nullptr));
    });
    if (!app::give_up_privileges(why) || !app::filter_system_calls(why)) _exit(no_sandbox);
    if (write(ends[1], "g", 1) != 1) _exit(no_sandbox);
    other.join();
    _exit(0);
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGSYS);
}
