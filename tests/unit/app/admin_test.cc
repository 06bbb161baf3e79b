// What the admin listener decides without a connection: whose requests it answers; and how `breakwater ctl`
// shows its answers.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "app/admin_guard.h"
#include "app/ctl_tables.h"
#include "app/operations.h"

using namespace breakwater::app;
using nlohmann::json;

TEST_CASE("guard: a Host that a page's name could not be") {
  for (const std::string host : {"", "127.0.0.1", "127.0.0.1:9090", "10.1.2.3:80", "[::1]", "[::1]:9090",
                                 "localhost", "LocalHost:1"}) {
    CAPTURE(host);
    CHECK(is_own_host(host));
  }
  for (const char* host :
       {"example.com", "example.com:9090", "127.0.0.1.example.com", "localhost.example.com", "1.2.3",
        "[example.com]", "[::1", "[]", ":80", "127.0.0.1.", "0x7f.1", "2130706433"}) {
    CAPTURE(host);
    CHECK_FALSE(is_own_host(host));
  }
}

TEST_CASE("ctl: servers as a table") {
  const json page = json::parse(R"({"pools": [{"name": "gogs", "panics": true, "servers": [
    {"name": "a:1", "state": "up", "reason": "", "for_seconds": 3.21, "back_in_seconds": null, "weight": 100,
     "effective_weight": 100.0, "backup": false, "in_flight": 2, "operations": 3, "max": 10,
     "served": 17, "ejections": 0,
     "first_byte_ms": {"advertise": 12.34, "negotiate": null, "pack": 99.96, "other": null}},
    {"name": "b:1", "state": "ejected", "reason": "failures in a row", "for_seconds": 3700, "back_in_seconds": 61.5,
     "weight": 50, "effective_weight": 12.5, "backup": true, "in_flight": 0, "operations": 1,
     "max": null, "served": 3, "ejections": 2}]}]})");
  CHECK(servers_table(page) ==
        "POOL  SERVER  STATE    FOR    WEIGHT           IN FLIGHT  OPERATIONS  SERVED  EJECTIONS  "
        "FIRST BYTE MS (REFS/WANTS/PACK/OTHER)  REASON\n"
        "gogs  a:1     up       3.2s   100              2          3 of 10     17      0          "
        "12.3/-/100.0/-\n"
        "gogs  b:1     ejected  1h01m  12 of 50 backup  0                      3       2          "
        "                                       failures in a row, back in 1m01s\n"
        "pool gogs panics: so little of it is left that ejected servers are used as well\n");
}

TEST_CASE("ctl: operations as a table; what a client sent can't steer the terminal") {
  const json page = json::parse(R"({"active": 5000, "shown": 1, "silent_cores": [3], "operations": [
    {"id": "0123", "core": 0, "client": "10.0.0.1:5", "pool": "p", "server": "a:1", "operation": "upload-pack",
     "repository": "team/\u001b[31mapp", "phase": "response_body", "age_ms": 90000, "idle_ms": 1500, "bytes_in": 1023,
     "bytes_out": 5242880, "bytes_per_second": 58254, "attempts": 1}]})");
  CHECK(operations_table(page) ==
        "ID    CLIENT      POOL  SERVER  OPERATION    REPOSITORY OR PATH  PHASE          AGE    IDLE  IN     "
        "OUT     "
        "RATE       TRIES\n"
        "0123  10.0.0.1:5  p     a:1     upload-pack  team/?[31mapp       response_body  1m30s  1.5s  1023B  "
        "5.0MiB  "
        "56.9KiB/s  1\n"
        "1 of 5000 are shown\n"
        "core 3 did not answer in time\n");
}

TEST_CASE("ctl: an operation that waits says for what") {
  const json page =
      json::parse(R"({"operations": [{"phase": "queue", "queued_for": "max_per_repository"}]})");
  CHECK(operations_table(page).find("  queue for max_per_repository  ") != std::string::npos);
}

TEST_CASE("ctl: what waits as a table") {
  const json page = json::parse(R"({"waiting": 3, "shown": 2, "silent_cores": [1], "queue": [
    {"id": "0123", "core": 0, "client": "10.1.2.3:5", "pool": "gogs", "position": 1, "reason": "max_per_repository",
     "class": "fetch", "network": "10.1.2.0/24", "operation": "info/refs upload-pack",
     "repository": "team/\u001b[2Japp",
     "waited_ms": 1500, "deadline_ms": 58500},
    {"core": 0, "client": "10.1.9.3:5", "pool": "gogs", "position": 12, "reason": "max of a server", "class": "web",
     "network": "10.1.9.0/24", "path": "/x", "waited_ms": 70000, "deadline_ms": 0}]})");
  CHECK(
      queue_table(page) ==
      "POOL  CORE  POSITION  WAITS FOR           CLASS  REPOSITORY OR PATH  CLIENT      NETWORK      WAITED  "
      "AT MOST\n"
      "gogs  0     1         max_per_repository  fetch  team/?[2Japp        10.1.2.3:5  10.1.2.0/24  1.5s    "
      "58.5s more\n"
      "gogs  0     12        max of a server     web    /x                  10.1.9.3:5  10.1.9.0/24  1m10s   "
      "0.0s more\n"
      "2 of 3 are shown\n"
      "core 1 did not answer in time\n");
  CHECK(queue_table(json::parse("[]")).find("POOL") == 0);
}

TEST_CASE("queue: the network that a client is counted with") {
  CHECK(network_of("10.1.2.3:4711") == "10.1.2.0/24");
  CHECK(network_of("[fd00:1:2:3456::7]:4711") == "fd00:1:2:3400::/56");
  CHECK(network_of("[::1]:80") == "::/56");
  for (const char* const none : {"", "x", "unix:/run/x", "10.1.2:80", "[::1", "[]:1"})
    CHECK(network_of(none).empty());
}

TEST_CASE("ctl: an answer of another version shows what it has") {
  CHECK(servers_table(json::parse(R"({"pools": [{"servers": [{}]}, 7], "more": 1})")).find("POOL") == 0);
  CHECK(servers_table(json::parse("[]")).find("POOL") == 0);
  CHECK(operations_table(json::parse("{}")).find("ID") == 0);
  CHECK(server_line(json::parse(R"({"name": "a:1", "state": "draining", "weight": 7})")) ==
        "a:1: draining, weight 0 of 7,  in flight\n");
}

TEST_CASE("ctl: what is nested deeper than a stack holds shows as empty") {
  const std::string deep = std::string(1'000'000, '[') + std::string(1'000'000, ']');
  const std::string row = R"({"name": )" + deep + R"(, "state": "up", "weight": )" + deep + "}";
  CHECK(server_line(json::parse(row)).starts_with(": up, weight "));
  CHECK(servers_table(json::parse(R"({"pools": [{"servers": [)" + row + "]}]}")).find("up") !=
        std::string::npos);
  CHECK(operations_table(json::parse(R"({"silent_cores": [)" + deep + "]}"))
            .ends_with("core  did not answer in time\n"));
}
