#include "client/git_child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace breakwater::storm {

namespace {

std::vector<std::string> environment_of(const GitCall& call) {
  const char* const path = getenv("PATH");
  std::vector<std::string> all = {"PATH=" + std::string(path != nullptr ? path : "/usr/bin:/bin"),
                                  "HOME=" + call.folder, "GIT_CONFIG_NOSYSTEM=1",
                                  "GIT_CONFIG_GLOBAL=/dev/null", "GIT_TERMINAL_PROMPT=0"};
  all.insert(all.end(), call.variables.begin(), call.variables.end());
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

}  // namespace

GitChild::~GitChild() {
  kill();
  reap();
}

bool GitChild::start(const GitCall& call) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, call.folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, call.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, call.log.c_str(), O_WRONLY | O_CREAT | O_TRUNC,
                                   0600);
  // This program holds signals back and ignores SIGPIPE; git must do neither.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none, defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> words = {"git"};
  words.insert(words.end(), call.words.begin(), call.words.end());
  std::vector<std::string> environment = environment_of(call);
  const int why =
      posix_spawnp(&pid_, "git", &actions, &attributes, pointers(words).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (why != 0) {
    pid_ = -1;
    return false;
  }
  ends_ = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));  // close-on-exec by itself
  if (ends_ >= 0) return true;
  kill();
  reap();
  return false;
}

void GitChild::kill() noexcept {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

int GitChild::reap() noexcept {
  if (pid_ <= 0) return -1;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  if (ends_ >= 0) ::close(ends_);
  pid_ = ends_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int GitChild::reap_within(int milliseconds) noexcept {
  if (pid_ <= 0) return -1;
  pollfd ends{ends_, POLLIN, 0};
  int ready = 0;
  do ready = poll(&ends, 1, milliseconds);
  while (ready < 0 && errno == EINTR);
  if (ready != 1) kill();
  return reap();
}

}  // namespace breakwater::storm
