// A scenario as one immutable value: whom to storm, with what, when, by whom. Made from a file
// (read_scenario.h) or from the command line, then only read, from every core. Every default is here, and
// nowhere else.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "plan/operation.h"

namespace breakwater::storm {

struct Target {
  bool tls = false;
  std::string host;  // a name, an IPv4 address or an IPv6 address without brackets
  uint16_t port = 80;
  std::string prefix;                     // of every path: "" or "/git"
  std::vector<std::string> repositories;  // behind the prefix: "/team/app.git"
  Authentication authentication = Authentication::none;
  std::string user, secret;  // the secret is a password or a token, from a file
  std::string tls_ca;        // a file; empty: the system's
  bool tls_verify = true;
  std::string tls_name;  // empty: `host`
};

// Who sends the requests.
enum class Driver : uint8_t {
  native,  // requests of our own, by the thousand
  git,     // the installed git, a process for each operation
};

// How a runner behaves. A runner is one CI machine: its own connections, its own local copies.
struct Runners {
  uint32_t count = 100;
  uint64_t download = 0;      // bytes a second, by token bucket; 0: as fast as they come
  Duration think{0};          // closed loop: between two operations of a runner
  uint32_t slow_percent = 0;  // so many of them read at `slow_download`
  uint64_t slow_download = 64 * 1024;
  uint32_t vanish_percent = 0;   // so many of the operations with a pack go away in the middle of it
  uint32_t connections_max = 0;  // of the whole storm at one time; 0: one for each runner
};

// One git command of a client, as it stands in an access log.
struct LoggedOperation {
  enum class Kind : uint8_t { list, fetch, push, dumb };
  static constexpr size_t kinds = 4;
  int64_t at_us = 0;  // since the first of them
  Kind kind = Kind::list;
  uint32_t repository = 0;  // index in AccessLog::repositories
  auto operator<=>(const LoggedOperation&) const = default;
};

struct AccessLog {
  std::vector<LoggedOperation> operations;  // in the order of their times
  std::vector<std::string> repositories;    // "owner/name", as they appear
};

// When operations begin. Open loop: at times that are fixed before the start, whatever the answers do.
struct Arrivals {
  enum class Shape : uint8_t { constant, poisson, ramp, step, burst, fan_out, closed, replay };
  std::string name;  // of its table, [arrivals.NAME]
  Shape shape = Shape::constant;
  std::vector<uint32_t> operations;  // indices in Scenario::operations, by dice with their weights
  Duration start{0}, length{0};      // since the storm's start; length 0: to its end
  double rate = 0, rate_to = 0;      // a second; ramp and step go from the one to the other
  uint32_t steps = 1;
  uint32_t count = 0;            // burst: operations in one window; fan_out: fetches for each push
  Duration window{0};            // burst and fan_out: within which they are spread by dice
  Duration every{0};             // burst and fan_out: how often; 0: once
  uint32_t push = 0;             // fan_out: index of the operation that pushes
  AccessLog log;                 // replay: what begins when
  uint32_t speed_percent = 100;  // replay: 200 is twice as fast as it was
};

struct Scenario {
  std::string name;
  uint64_t seed = 1;
  uint32_t cores = 1;
  Driver driver = Driver::native;
  Duration length{60'000};             // no operation begins after that
  Duration grace{30'000};              // then so long for those that have begun
  Duration warm_up{0};                 // operations that begin in it are performed and not counted
  uint32_t deep_check_per_mille = 10;  // so many of the packs are unpacked and checked object by object
  Target target;
  Runners runners;
  std::vector<Operation> operations;
  std::vector<Arrivals> arrivals;
};

// One operation that will begin. All of them are known before the start.
struct Arrival {
  static constexpr uint32_t nobody = UINT32_MAX;
  int64_t at_ns = 0;  // since the start; where `follows` is another arrival: since that one's end
  uint16_t operation = 0;
  uint16_t table = 0;  // index in Scenario::arrivals; in a closed loop its runner goes on with more of it
  uint32_t repository = 0;
  uint32_t runner = 0;
  uint32_t follows = nobody;  // fan_out: the index of the push whose commit is fetched
};

}  // namespace breakwater::storm
