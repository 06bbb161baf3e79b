// A core on this thread, for benchmarks of what lives on one. `core` is null if it can't be had: `why` says
// it.
#pragma once

#include <memory>
#include <string>

#include "core/core.h"

namespace breakwater {

struct World {
  Stats stats;
  LogRing log{4096};
  Mailbox mailbox;
  std::string why;
  std::unique_ptr<Core> core = Core::open(0, {}, stats, log, mailbox, why);
};

}  // namespace breakwater
