// A Core on the real kernel with what it needs around it, small.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "core/core.h"

namespace breakwater {

struct CoreWorld {
  Stats stats;
  LogRing log{4096};
  Mailbox mailbox;
  std::unique_ptr<Core> core;

  explicit CoreWorld(uint32_t head_buffers) {
    CoreLimits limits;
    limits.ring_entries = 64;
    limits.head_buffers = head_buffers;
    limits.bulk_buffers = 8;
    limits.pipes = 2;
    std::string why;
    core = Core::open(0, limits, stats, log, mailbox, why);
    REQUIRE_MESSAGE(core != nullptr, why);
  }
};

}  // namespace breakwater
