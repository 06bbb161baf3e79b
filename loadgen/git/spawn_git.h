// Starts the installed git as a child of its own: in a process group, so that whoever ends it ends those too
// that it has started, and with signals as programs expect them. We hold some back and ignore SIGPIPE; git
// must do neither.
#pragma once

#include <signal.h>
#include <spawn.h>

#include <string>
#include <vector>

namespace breakwater {

// `words` behind "git", and all of its environment. 0 and `pid`, or an errno.
inline int spawn_git(const posix_spawn_file_actions_t& actions, std::vector<std::string> words,
                     std::vector<std::string> environment, pid_t& pid) {
  words.insert(words.begin(), "git");
  const auto pointers = [](std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
  };
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
  const int why =
      posix_spawnp(&pid, "git", &actions, &attributes, pointers(words).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (why != 0) pid = -1;
  return why;
}

}  // namespace breakwater
