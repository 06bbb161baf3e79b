// GitChild: one git process, with nobody's configuration but what it is given. What it
// says goes into files. It leads a process group, so that what it started ends with it.
//
// start, then wait until ends_fd() is readable, then reap. From one thread at a time.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace breakwater::storm {

struct GitCall {
  std::string folder;                  // to run in; it is git's HOME, too
  std::vector<std::string> words;      // behind "git"
  std::vector<std::string> variables;  // "NAME=value", behind those that every git has here
  std::string log;                     // of its complaints: within the folder, or absolute; made anew
  std::string output = "/dev/null";    // likewise
};

class GitChild {
 public:
  GitChild() = default;
  GitChild(const GitChild&) = delete;
  GitChild& operator=(const GitChild&) = delete;
  ~GitChild();  // kills and reaps it

  bool start(const GitCall& call);  // false: it could not be started
  bool is_running() const noexcept { return pid_ > 0; }
  int ends_fd() const noexcept { return ends_; }
  void kill() noexcept;  // it and all of its group; does nothing if none runs
  int reap() noexcept;   // waits. The exit status; -1: it was killed
  // Waits so long at most, then kills it. For threads that may block.
  int reap_within(int milliseconds) noexcept;

 private:
  pid_t pid_ = -1;
  int ends_ = -1;  // its pidfd
};

}  // namespace breakwater::storm
