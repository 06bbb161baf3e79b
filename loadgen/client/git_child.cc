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

#include "git/spawn_git.h"

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
  const int why = spawn_git(actions, call.words, environment_of(call), pid_);
  posix_spawn_file_actions_destroy(&actions);
  if (why != 0) return false;
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
