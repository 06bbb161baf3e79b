#include "app/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace breakwater::app {

namespace {

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41  // newer than some headers
#endif

constexpr std::string_view run_without = "; `sandbox = false` in [process], or --no-sandbox, does without";

// ---- capabilities

constexpr uint64_t for_the_start = uint64_t{1} << CAP_NET_BIND_SERVICE | uint64_t{1} << CAP_IPC_LOCK;

// The kernel takes them in two words; libc has no name for the calls.
bool get_permitted(uint64_t& permitted) {
  __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (syscall(SYS_capget, &head, data) != 0) return false;
  permitted = data[0].permitted | uint64_t{data[1].permitted} << 32;
  return true;
}

bool set_capabilities(uint64_t permitted) {
  __user_cap_header_struct head{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const auto low = static_cast<uint32_t>(permitted), high = static_cast<uint32_t>(permitted >> 32);
  const __user_cap_data_struct data[2] = {{.effective = low, .permitted = low, .inheritable = 0},
                                          {.effective = high, .permitted = high, .inheritable = 0}};
  return syscall(SYS_capset, &head, data) == 0;
}

// The bounding set while we may (EPERM otherwise); it bounds what a program that is executed could gain, and
// no_new_privs does so as well.
bool keep_capabilities(uint64_t kept, std::string& why) {
  for (int each = 0; prctl(PR_CAPBSET_READ, each, 0, 0, 0) >= 0; each++)
    prctl(PR_CAPBSET_DROP, each, 0, 0, 0);
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  uint64_t permitted = 0;
  if (get_permitted(permitted) && set_capabilities(permitted & kept)) return true;
  why = std::string("capabilities can't be given up: ") + strerror(errno);
  why += run_without;
  return false;
}

// ---- system calls

// One way in which a call is allowed: what its arguments have to be.
using Arguments = std::vector<scmp_arg_cmp>;

struct Call {
  AllowedCall shown;
  std::vector<Arguments> ways;  // one of these; empty: any
};

std::vector<Arguments> one_of(unsigned argument, std::initializer_list<scmp_datum_t> values) {
  std::vector<Arguments> ways;
  for (const scmp_datum_t value : values) ways.push_back({{argument, SCMP_CMP_EQ, value, 0}});
  return ways;
}

// Of what serves, reads files anew, opens the log anew, asks for names, answers the admin listener, ends in
// good order, or aborts. A name that this machine has no call for is passed over: arm64 has no `open`.
std::vector<Call> calls() {
  std::vector<Call> all;
  for (const std::string_view name :
       {// rings, and the direct calls of the data path (src/ring)
        "io_uring_enter", "io_uring_register", "splice", "pipe2", "connect", "shutdown", "sendto", "recvfrom",
        "sendmsg", "recvmsg", "setsockopt", "getsockopt", "getsockname", "getpeername", "accept4", "poll",
        "ppoll", "close",
        // files: certificates, the log, the pid file, the admin socket, what c-ares reads, /proc/self
        "read", "readv", "pread64", "write", "writev", "lseek", "open", "openat", "stat", "lstat", "fstat",
        "newfstatat", "statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64",
        "getcwd", "unlink", "unlinkat", "inotify_add_watch",
        // memory; mmap and mprotect are below
        "brk", "munmap", "mremap", "madvise",
        // threads, time, signals, the end
        "futex", "sched_yield", "sched_getaffinity", "getcpu", "set_robust_list", "rseq", "nanosleep",
        "clock_nanosleep", "clock_gettime", "clock_getres", "gettimeofday", "time", "rt_sigaction",
        "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "restart_syscall", "exit",
        "exit_group",
        // who and where we are, and chance
        "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "getrusage", "sysinfo", "uname",
        "getrandom"})
    all.push_back({{.name = name, .only = ""}, {}});

  // An error is enough where a library may try something, and can do without: libc asks netlink for
  // addresses.
  all.push_back({{.name = "socket", .only = "IPv4, IPv6, unix"}, one_of(0, {AF_INET, AF_INET6, AF_UNIX})});
  all.push_back({{.name = "fcntl", .only = "flags, and the size of pipes"},
                 one_of(1, {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETPIPE_SZ, F_SETPIPE_SZ})});
  all.push_back(
      {{.name = "ioctl", .only = "TCGETS, FIONREAD, FIONBIO"}, one_of(1, {TCGETS, FIONREAD, FIONBIO})});
  all.push_back({{.name = "prctl", .only = "names of threads and of memory"},
                 one_of(0, {PR_SET_NAME, PR_GET_NAME, PR_SET_VMA})});
  all.push_back({{.name = "prlimit64", .only = "our own limits, to read them"},
                 {{{0, SCMP_CMP_EQ, 0, 0}, {2, SCMP_CMP_EQ, 0, 0}}}});
  const std::vector<Arguments> not_executed{{{2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0}}};
  all.push_back(
      {{.name = "mmap", .only = "nothing that can be executed", .ends_beside = true}, not_executed});
  all.push_back(
      {{.name = "mprotect", .only = "nothing that can be executed", .ends_beside = true}, not_executed});
  all.push_back({{.name = "tgkill", .only = "our own threads (abort)", .ends_beside = true},
                 one_of(0, {static_cast<scmp_datum_t>(getpid())})});
  return all;
}

// A libseccomp filter. The first error is kept, and load() tells it.
class Filter {
 public:
  explicit Filter(uint32_t beside)
      : context_(seccomp_init(beside)), status_(context_ == nullptr ? -EINVAL : 0) {
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_NNP, 0);    // is set already, and the first filter would make an error of it
    set(SCMP_FLTATR_CTL_TSYNC, 1);  // all threads
    // A kernel may slow down whoever has a filter, lest others' code in it looks where it must not. Here is
    // none.
    set(SCMP_FLTATR_CTL_SSB, 1);
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2);  // a tree
  }
  ~Filter() {
    if (context_ != nullptr) seccomp_release(context_);
  }
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;

  void allow(std::string_view name, const Arguments& arguments = {}) {
    const int number = seccomp_syscall_resolve_name(std::string(name).c_str());
    if (status_ != 0 || number == __NR_SCMP_ERROR) return;  // libseccomp is older than this call
    keep(seccomp_rule_add_array(context_, SCMP_ACT_ALLOW, number, static_cast<unsigned>(arguments.size()),
                                arguments.data()));
  }
  void allow(const Call& call) {
    for (const Arguments& arguments : call.ways) allow(call.shown.name, arguments);
    if (call.ways.empty()) allow(call.shown.name);
  }
  int load() {
    if (status_ == 0) keep(seccomp_load(context_));
    return status_;
  }

 private:
  void set(scmp_filter_attr attribute, uint32_t value) {
    if (status_ == 0) keep(seccomp_attr_set(context_, attribute, value));
  }
  void keep(int status) {
    if (status_ == 0 && status < 0) status_ = status;
  }

  scmp_filter_ctx context_;
  int status_;
};

}  // namespace

bool keep_what_starting_needs(std::string& why) {
  return keep_capabilities(for_the_start, why);
}

bool give_up_privileges(std::string& why) {
  if (!keep_capabilities(0, why)) return false;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0) return true;
  why = std::string("no_new_privs can't be set: ") + strerror(errno);
  why += run_without;
  return false;
}

// Two filters, of which the kernel obeys the stricter: for one call libseccomp can't tell several values that
// are good from all others that are an error. The first makes an error of all that is not allowed, and lets
// the second be set; the second ends the process, but for the calls where an error is enough.
bool filter_system_calls(std::string& why) {
  if (!build_has_filter()) return true;
  Filter errors(SCMP_ACT_ERRNO(EPERM)), ends(SCMP_ACT_KILL_PROCESS);
  for (const Call& call : calls()) {
    errors.allow(call);
    call.shown.ends_beside ? ends.allow(call) : ends.allow(call.shown.name);
  }
  errors.allow("seccomp");
  int status = errors.load();
  if (status == 0) status = ends.load();
  if (status == 0) return true;
  why = std::string("system calls can't be filtered: ") + strerror(-status) +
        "; the kernel needs CONFIG_SECCOMP_FILTER";
  why += run_without;
  return false;
}

std::string hint_for_root(bool sandbox, std::string_view why) {
  if (!sandbox || geteuid() != 0 || why.find(strerror(EACCES)) == std::string_view::npos) return "";
  return "\n  root's privileges are given up before files are opened, so it needs permission as anybody else "
         "does" +
         std::string(run_without);
}

bool build_has_filter() noexcept {
  return BW_SANITIZED == 0;
}

std::vector<AllowedCall> allowed_calls() {
  std::vector<AllowedCall> shown;
  for (const Call& call : calls()) shown.push_back(call.shown);
  return shown;
}

}  // namespace breakwater::app
