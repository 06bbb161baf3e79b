// What is said to whoever runs the program: a line on stderr, or what was asked for on stdout.
#pragma once

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace breakwater::app {

inline void say(const std::string& text) {
  std::fprintf(stderr, "breakwater: %s\n", text.c_str());
}

// False, and said, if it does not arrive there: a full disk, say. Nothing is printed afterwards.
inline bool print(const std::string& text) {
  if (std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0) return true;
  say(std::string("standard output can't be written: ") + strerror(errno));
  return false;
}

}  // namespace breakwater::app
