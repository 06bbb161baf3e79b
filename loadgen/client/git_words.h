// What git's complaints on standard error mean, as a class of failure. Pure. From what git 2.39 and libcurl
// 7.88 say in the C locale (http.c, remote-curl.c, fetch-pack.c, index-pack.c); words that none of these has
// are Failure::git.
#pragma once

#include <string>
#include <string_view>

#include "measure/outcome.h"

namespace breakwater::storm {

struct GitComplaint {
  Failure failure = Failure::git;
  uint16_t status = 0;  // of HTTP, where git names it
  std::string words;    // the line that says most: an error of the server's, or else the last one
};

// `text`: all that a git that failed has said.
GitComplaint read_git_complaint(std::string_view text);

}  // namespace breakwater::storm
