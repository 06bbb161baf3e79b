#include "origin/run.h"

#include <cstdio>
#include <string>

#include "origin/options.h"
#include "origin/real_server.h"
#include "origin/server.h"

namespace breakwater::storm::origin {

namespace {

// "[::1]:0" has no brackets where getaddrinfo(3) is to read it.
int serve_repositories_of(const Options& options) {
  breakwater::origin::RealOptions real;
  real.root = options.repos;
  real.allow_push = options.allow_push;
  const size_t colon = options.listen.rfind(':');
  if (colon == std::string::npos || colon == 0) {
    std::fprintf(stderr, "stormgen origin: --listen takes ADDRESS:PORT, not '%s'\n", options.listen.c_str());
    return 2;
  }
  real.address = options.listen.substr(0, colon);
  real.port = options.listen.substr(colon + 1);
  if (real.address.front() == '[' && real.address.back() == ']')
    real.address = real.address.substr(1, real.address.size() - 2);
  return serve_real(real);
}

}  // namespace

int run_origin(int argc, const char* const* argv) {
  const std::expected<Options, std::string> options = read_options(argc, argv);
  if (!options) {
    std::fprintf(stderr, "stormgen origin: %s\n", options.error().c_str());
    return 2;
  }
  if (options->help) {
    std::fputs(usage().c_str(), stdout);
    return 0;
  }
  return options->repos.empty() ? serve_synthetic(*options) : serve_repositories_of(*options);
}

}  // namespace breakwater::storm::origin
