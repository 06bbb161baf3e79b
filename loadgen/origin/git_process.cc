#include "origin/git_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "git/spawn_git.h"

namespace breakwater::origin {

void GitProcesses::add(pid_t leader) {
  const std::scoped_lock lock(mutex_);
  leaders_.insert(leader);
}

int GitProcesses::reap(pid_t leader) {
  // Wait without reaping first: while the lock is free the id still belongs to this child.
  siginfo_t info{};
  while (waitid(P_PID, static_cast<id_t>(leader), &info, WEXITED | WNOWAIT) != 0 && errno == EINTR) {
  }
  const std::scoped_lock lock(mutex_);
  int status = 0;
  while (waitpid(leader, &status, 0) < 0 && errno == EINTR) {
  }
  leaders_.erase(leader);
  return status;
}

void GitProcesses::terminate(pid_t leader) {
  const std::scoped_lock lock(mutex_);
  if (leaders_.contains(leader)) kill(-leader, SIGTERM);
}

void GitProcesses::terminate_all() {
  const std::scoped_lock lock(mutex_);
  for (const pid_t leader : leaders_) kill(-leader, SIGTERM);
}

GitProcess::~GitProcess() {
  close_input();
  close_output();
  if (leader_ < 0) return;
  all_.terminate(leader_);
  all_.reap(leader_);
}

namespace {

// The environment of the child: ours without anything that would steer git, plus GIT_PROTOCOL.
std::vector<std::string> child_environment(const std::string& protocol) {
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool steers_git = text.starts_with("GIT_PROTOCOL=") || text.starts_with("GIT_DIR=") ||
                            text.starts_with("GIT_WORK_TREE=") || text.starts_with("GIT_INDEX_FILE=") ||
                            text.starts_with("GIT_TRACE");
    if (!steers_git) environment.emplace_back(text);
  }
  if (!protocol.empty()) environment.push_back("GIT_PROTOCOL=" + protocol);
  return environment;
}

void close_pair(const int (&pair)[2]) {
  close(pair[0]);
  close(pair[1]);
}

}  // namespace

int GitProcess::start(const std::vector<std::string>& arguments, const std::string& protocol) {
  int to_child[2];
  int from_child[2];
  if (pipe2(to_child, O_CLOEXEC) != 0) return errno;
  if (pipe2(from_child, O_CLOEXEC) != 0) {
    const int why = errno;
    close_pair(to_child);
    return why;
  }

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, to_child[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, from_child[1], STDOUT_FILENO);

  const int why = spawn_git(actions, arguments, child_environment(protocol), leader_);
  posix_spawn_file_actions_destroy(&actions);
  close(to_child[0]);
  close(from_child[1]);
  if (why != 0) {
    close(to_child[1]);
    close(from_child[0]);
    return why;
  }
  all_.add(leader_);
  input_ = to_child[1];
  output_ = from_child[0];
  fcntl(input_, F_SETFL, O_NONBLOCK);
  fcntl(output_, F_SETFL, O_NONBLOCK);
  return 0;
}

void GitProcess::close_input() {
  if (input_ >= 0) close(input_);
  input_ = -1;
}

void GitProcess::close_output() {
  if (output_ >= 0) close(output_);
  output_ = -1;
}

bool GitProcess::finish() {
  close_input();
  close_output();
  if (leader_ < 0) return false;
  const int status = all_.reap(leader_);
  leader_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace breakwater::origin
