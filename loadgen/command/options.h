// What the command line says, as it says it, before it is judged. Defaults of its own are here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace breakwater::storm {

// Of every storm, from a file or without one.
struct StormOptions {
  std::optional<uint64_t> seed;
  std::optional<uint32_t> cores;
  std::string driver;
  bool dry_run = false;
  std::string allow_target, max_rate;
  uint32_t max_runners = 0;
};

// Of `run` and `check`.
struct FileOptions {
  std::string path;
  std::string target;  // instead of the file's
};

// Of a storm of one operation.
struct QuickOptions {
  std::string url;
  std::optional<uint32_t> runners;
  std::string rate = "10/s";
  std::string length, grace = "30s", warm_up = "0s";
  bool closed = false, poisson = false;
  uint32_t burst = 0, fan_out = 0;
  std::string within, every;
  std::optional<uint32_t> depth;
  std::string filter;
  uint32_t protocol = 2;
  std::string client = "git";
  std::string ref, path;
  std::optional<uint32_t> commits;
  std::string user, password_file;
  bool preemptive = false;
  std::string ca;
  bool no_verify = false;
  std::string download;
  uint32_t deep_check = 10;
};

}  // namespace breakwater::storm
