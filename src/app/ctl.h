// `breakwater ctl`: asks the admin listener of a running Breakwater, and shows its answer as tables, or as it
// came.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"

namespace breakwater::app {

struct Ctl {
  enum class Verb : uint8_t { servers, operations, queue, drain, ready, maintenance, weight };
  std::string address = "unix:/run/breakwater.sock";
  config::Endpoint endpoint;  // the same, read
  Verb verb = Verb::servers;
  std::string server;   // "POOL/SERVER", of those that change one
  uint32_t weight = 0;  // of Verb::weight
  bool json = false;    // the answer as it came
};

// Returns the exit status: 1, and why on stderr, if it was not answered as it was asked.
int run_ctl(const Ctl& ctl);

}  // namespace breakwater::app
