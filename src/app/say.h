// A line for whoever runs the program, on stderr.
#pragma once

#include <cstdio>
#include <string>

namespace breakwater::app {

inline void say(const std::string& text) {
  std::fprintf(stderr, "breakwater: %s\n", text.c_str());
}

}  // namespace breakwater::app
