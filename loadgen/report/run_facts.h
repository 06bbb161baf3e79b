// What a report says of where its figures come from: without it they mean nothing.
#pragma once

#include <cstdint>
#include <string>

#include "plan/scenario.h"

namespace breakwater::storm {

struct RunFacts {
  std::string program;  // "stormgen 0.1.0"
  std::string driver;   // "native"
  std::string target;   // "http://127.0.0.1:3000", without any secret
  std::string kernel, cpu;
  uint32_t cpus = 0;       // of the machine
  std::string started_at;  // "2026-11-26T22:00:00Z"
  std::string scenario_hash;
  uint64_t operations_planned = 0;
};

// Of this machine, now.
RunFacts facts_of_this_run(const Scenario& scenario, uint64_t operations_planned);

// Of everything in it that makes a difference but its seed: two runs of one hash may be compared.
std::string hash_of(const Scenario& scenario);

}  // namespace breakwater::storm
