// What a report says of where its figures come from: without it they mean nothing.
#pragma once

#include <cstdint>
#include <string>

#include "plan/scenario.h"

namespace breakwater::storm {

struct RunFacts {
  std::string program;        // "stormgen 0.1.0"
  std::string driver;         // "native"
  std::string target;         // "http://127.0.0.1:3000", without any secret
  std::string repository;     // the first of them, "/team/app.git"
  uint32_t repositories = 0;  // how many
  std::string kernel, cpu;
  uint32_t cpus = 0;       // of the machine
  std::string started_at;  // "2026-11-26T22:00:00Z"
  int64_t started_unix = 0;
  std::string scenario;  // its name
  std::string scenario_hash;
  uint64_t seed = 0;
  uint32_t runners = 0, cores = 0;
  bool is_open = true;  // a loop whose operations begin at times of their own
  double length_seconds = 0, warm_up_seconds = 0;
  uint64_t operations_planned = 0;
  std::string git;  // "git version 2.39.5", by which packs are unpacked; empty: none is there
};

// Bytes, requests and connections are counted; of git's own processes they are not known, and 0.
inline bool counts_http(const RunFacts& facts) noexcept {
  return facts.driver != "git";
}

// Of this machine, now.
RunFacts facts_of_this_run(const Scenario& scenario, uint64_t operations_planned);

// Of everything in it that makes a difference but its seed: two runs of one hash may be compared.
std::string hash_of(const Scenario& scenario);

}  // namespace breakwater::storm
