// breakwater-origin: the small Git server of real repositories (real_server.h) as a program of its own.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "origin/real_server.h"

namespace breakwater::origin {
namespace {

constexpr const char* usage =
    "usage: breakwater-origin --root DIR [--listen ADDRESS:PORT] [--allow-push]\n"
    "Serves the bare Git repositories below DIR over HTTP.\n"
    "  --root DIR             the directory that holds them\n"
    "  --listen ADDRESS:PORT  where to listen (default 127.0.0.1:0; port 0 takes a free one)\n"
    "  --allow-push           let clients push\n";

[[noreturn]] void give_up(const std::string& sentence, int status) {
  std::fprintf(stderr, "breakwater-origin: %s\n", sentence.c_str());
  std::exit(status);
}

RealOptions parse_options(int argc, char** argv) {
  RealOptions options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") {
      std::fputs(usage, stdout);
      std::exit(0);
    }
    if (argument == "--allow-push") {
      options.allow_push = true;
      continue;
    }
    if (argument != "--root" && argument != "--listen") {
      std::fputs(usage, stderr);
      give_up("unknown argument '" + std::string(argument) + "'", 2);
    }
    if (i + 1 == argc) give_up(std::string(argument) + " needs a value", 2);
    const std::string value = argv[++i];
    if (argument == "--root") {
      options.root = value;
      continue;
    }
    const size_t colon = value.rfind(':');
    if (colon == std::string::npos || colon == 0)
      give_up("--listen takes ADDRESS:PORT, not '" + value + "'", 2);
    options.address = value.substr(0, colon);
    options.port = value.substr(colon + 1);
    if (options.address.front() == '[' && options.address.back() == ']') {
      options.address = options.address.substr(1, options.address.size() - 2);
    }
  }
  if (options.root.empty()) {
    std::fputs(usage, stderr);
    give_up("--root is missing", 2);
  }
  return options;
}

}  // namespace
}  // namespace breakwater::origin

int main(int argc, char** argv) {
  using namespace breakwater::origin;
  return serve_real(parse_options(argc, argv));
}
