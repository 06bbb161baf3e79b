// One `git` child with its standard input and output as pipes, and the table of all of them.
//
// A child leads its own process group, so that ending it ends what it started (pack-objects, hooks). Its id
// is only ever used before it has been reaped, under the table's lock, so a signal can't reach a stranger
// with a reused id.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <set>
#include <string>
#include <vector>

namespace breakwater::origin {

class GitProcesses {
 public:
  void add(pid_t leader);
  // Waits for the child to end; returns its wait status.
  int reap(pid_t leader);
  void terminate(pid_t leader);
  void terminate_all();

 private:
  std::mutex mutex_;
  std::set<pid_t> leaders_;
};

class GitProcess {
 public:
  explicit GitProcess(GitProcesses& all) : all_(all) {}
  GitProcess(const GitProcess&) = delete;
  GitProcess& operator=(const GitProcess&) = delete;
  ~GitProcess();  // ends the child if it still runs, and waits for it

  // `arguments` follow "git"; `protocol` becomes GIT_PROTOCOL unless it is empty. 0 or an errno.
  int start(const std::vector<std::string>& arguments, const std::string& protocol);

  int input() const { return input_; }    // non-blocking; -1 when closed
  int output() const { return output_; }  // non-blocking; -1 when closed
  void close_input();
  void close_output();
  // Waits for the end. True if git exited with status 0.
  bool finish();

 private:
  GitProcesses& all_;
  pid_t leader_ = -1;  // -1 before start and after it was reaped
  int input_ = -1;
  int output_ = -1;
};

}  // namespace breakwater::origin
