// What `stormgen origin` is told on its command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>

#include "git/synthetic_content.h"

namespace breakwater::storm::origin {

// Whose heads and chunks the answers have.
enum class Framing : uint8_t { apache, nginx, go };

struct Options {
  std::string listen = "127.0.0.1:0";
  std::string control;  // where the control API listens; empty: nowhere
  uint32_t cores = 1;
  uint32_t repositories = 1;
  SyntheticSettings content;
  uint64_t rate = 0;  // bytes a second of each answer; 0: as fast as they are taken
  std::chrono::milliseconds compute{0};
  Framing framing = Framing::apache;
  std::string user;      // empty: anybody may do anything
  std::string password;  // of `user`
  std::string tls;       // a folder of certificates; empty: plain
  std::string repos;     // a folder of real repositories: everything above but `listen` has no meaning then
  bool allow_push = false;  // to real ones; synthetic ones always take pushes
  bool help = false;
};

// argv[0] is the name of the program or command. A sentence if it can't be understood. Reads the file of the
// password.
std::expected<Options, std::string> read_options(int argc, const char* const* argv);
std::string usage();

}  // namespace breakwater::storm::origin
