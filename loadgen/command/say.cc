#include "command/say.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace breakwater::storm {

namespace {

int stdout_errno = 0;  // errno of what standard output did not take first

void put(std::FILE* file, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file) == text.size()) return;
  if (file == stdout && stdout_errno == 0) stdout_errno = errno;
}

}  // namespace

void say(std::string_view text) {
  put(stdout, text);
}

void complain(std::string_view text) {
  put(stderr, text);
}

void complain_of(std::string_view sentence) {
  complain("stormgen: " + std::string(sentence) + "\n");
}

bool all_was_taken() {
  if (std::fflush(stdout) != 0 && stdout_errno == 0) stdout_errno = errno;
  if (std::ferror(stdout) == 0) return true;
  complain_of("standard output can't be written: " + std::string(std::strerror(stdout_errno)));
  return false;
}

}  // namespace breakwater::storm
