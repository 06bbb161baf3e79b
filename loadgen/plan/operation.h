// What a runner does at one time, as a scenario says it: the kinds of operations, and one kind with its
// options. Plain values, made by the scenario's reader and then only read, from every core.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace breakwater::storm {

using Duration = std::chrono::milliseconds;
constexpr int64_t ns(Duration duration) {
  return duration.count() * 1'000'000;
}
constexpr double seconds(Duration duration) {
  return static_cast<double>(duration.count()) / 1000;
}

enum class Verb : uint8_t {
  ls_remote,     // the advertisement, and with protocol v2 the refs
  clone,         // everything, or as `depth` and `filter` say
  fetch,         // what is new since this runner's last clone or fetch of the repository
  fetch_object,  // one commit by its id
  tags,          // all tags, as `git fetch --tags` asks for them
  push,          // fresh synthetic commits on a branch of the runner's own
  lfs,           // a batch request, and the objects that it names
  dumb,          // info/refs without a service, HEAD, and an object
  page,          // a page of the web interface
};
inline constexpr uint8_t verbs = 9;

// Whose requests these are: header fields, order, reuse of connections and retries (profile.h).
enum class Client : uint8_t { git, actions_checkout, gitlab_runner, jenkins_poll, renovate };

enum class Authentication : uint8_t {
  none,
  challenge,  // as Git does it: without, and once more after a 401
  basic,      // with the first request
  bearer,
};

struct Operation {
  std::string name;  // of its table, [operation.NAME], and of its results
  Verb verb = Verb::clone;
  Client client = Client::git;
  uint8_t protocol = 2;        // 0, 1 or 2
  uint32_t depth = 0;          // 0: all of the history
  bool blobless = false;       // --filter=blob:none
  uint32_t lazy_objects = 20;  // so many of what a blobless clone left out are fetched then, in one request
  std::string ref;             // short or whole; empty: the one that HEAD names
  std::string path;            // page: what comes behind the repository
  uint32_t commits = 1;        // push
  uint64_t bytes = 4096;       // push: of fresh, incompressible content in each commit
  uint32_t weight = 1;         // its share of an arrival's operations
  uint32_t tries = 1;
  Duration retry_min{0}, retry_max{0};  // the pause before another try, by dice
  Duration timeout{0};                  // of a whole try; 0: none
  Duration stall{30'000};               // without a byte
};

}  // namespace breakwater::storm
