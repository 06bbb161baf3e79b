// A small Git server over smart HTTP, of real repositories: for demonstrations and tests.
//
// It serves the bare repositories below one directory by running git itself. One thread for each connection,
// up to a bound; everything is streamed, so its own memory does not grow with a repository. Not for the open
// internet: it knows neither users nor TLS.
#pragma once

#include <string>

namespace breakwater::origin {

struct RealOptions {
  std::string root;
  std::string address = "127.0.0.1";
  std::string port = "0";
  bool allow_push = false;
};

// Serves until SIGTERM or SIGINT. Prints "listening on ADDRESS:PORT" to standard error once it accepts.
// Returns the status to exit with, or exits with a sentence where it can't begin.
int serve_real(const RealOptions& options);

}  // namespace breakwater::origin
