// Scenario: everything that one seed decides before its run starts. Plain data, so that it can be printed and
// made smaller: a Reduction names what is left out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "sim/faults.h"
#include "sim/peer.h"

namespace breakwater::sim {

inline constexpr int64_t ms = 1'000'000;  // all times here are nanoseconds

enum class Kind : uint8_t {
  advertise_fetch,  // GET info/refs, v0 or v2
  advertise_push,
  upload_pack,
  receive_pack,
  dumb_object,
  web_page,
  web_head,
  web_form,
  lfs_upload,
  websocket,
};
inline constexpr size_t kinds = 10;

enum class ServerFault : uint8_t {
  none,
  silent,
  closes_before_answer,
  resets_before_answer,
  closes_in_head,
  closes_in_body,
  resets_in_body,
  stalls_in_body,
  extra_bytes,
  both_framings,
  bad_head,
  too_many_interim,
  early_answer,
  early_answer_then_close,
  early_answer_then_reset,
  closes_soon_after,
  late_surplus,  // says something that nobody asked for, on a connection that is at rest
  answers_500,
  answers_web_page,       // to Git
  git_says_err,           // inside a 200
  early_part_then_reset,  // of an answer until the end, while the request is still coming
};
inline constexpr size_t server_faults = 21;
// Its answer is one, but not what was asked for.
inline constexpr bool is_useless(ServerFault fault) noexcept {
  return fault >= ServerFault::answers_500 && fault <= ServerFault::git_says_err;
}
// An answer before the request has been read.
inline constexpr bool answers_early(ServerFault fault) noexcept {
  return fault == ServerFault::early_answer || fault == ServerFault::early_answer_then_close ||
         fault == ServerFault::early_answer_then_reset || fault == ServerFault::early_part_then_reset;
}
inline constexpr bool ends_early(ServerFault fault) noexcept {
  return answers_early(fault) && fault != ServerFault::early_answer;
}

enum class ClientFault : uint8_t {
  none,
  leaves_in_head,
  leaves_in_body,
  leaves_waiting,
  leaves_in_answer,
  half_closes,
  stalls_in_head,
  stalls_in_body,
  stops_reading,
  bad_head,
  long_target,
  large_head,
};
inline constexpr size_t client_faults = 12;

const char* name(Kind kind);
const char* name(ServerFault fault);
const char* name(ClientFault fault);

struct RequestPlan {
  uint32_t id = 0;
  Kind kind{};
  uint32_t repository = 0;
  bool version_2 = false;
  // Of an upload_pack:
  bool lists_refs = false;  // version 2: command=ls-refs instead of fetch
  bool sideband = false;    // version 0: the pack comes in band 1
  bool done = false;        // a pack is asked for; else the negotiation goes on
  uint32_t progress = 0;    // packets of it, before a pack in a sideband
  Framing request_framing = Framing::none;
  size_t request_bytes = 0;
  bool expects_continue = false;
  bool http_1_0 = false;
  bool client_closes = false;
  bool login = false;  // 401 first
  uint16_t status = 200;
  Framing answer_framing = Framing::length;
  size_t answer_bytes = 0;
  size_t chunk = 8192;  // as Apache's, nginx's or Go's
  bool upper_case = false, extension = false, trailer = false;
  bool server_closes = false;
  uint32_t interim = 0;
  ServerFault server_fault{};
  bool fault_once = false;  // only the first server that sees it has the fault
  ClientFault client_fault{};

  // As a server answers what is asked of it by HTTP/1.0: nothing chunked, nothing before the answer, and the
  // connection ends.
  RequestPlan by_http_1_0() const;
  bool gives_pack_in_band() const noexcept {
    return kind == Kind::upload_pack && done && (version_2 ? !lists_refs : sideband);
  }
  bool is_git_post() const noexcept { return kind == Kind::upload_pack || kind == Kind::receive_pack; }
  const char* method() const noexcept;
  std::string target() const;
  std::string request_body() const;
  std::string answer_body() const;
  std::string useless_body() const;  // of a server whose fault is_useless()
};

struct ClientPlan {
  uint32_t number = 0;
  int64_t starts_ns = 0;
  bool pipelined = false;
  bool operation = false;  // its requests are those of one clone, fetch or push
  size_t piece = 0;
  int64_t pause_ns = 0;  // between reads of an answer
  std::vector<RequestPlan> requests;
};

struct Restart {
  uint32_t server = 0;
  int64_t from_ns = 0, until_ns = 0;
};

// The operator takes a server out, and lets it back in; or DNS has its address no more, and then again.
struct Drain {
  uint32_t server = 0;
  int64_t from_ns = 0, until_ns = 0;
};

struct Scenario {
  uint64_t seed = 0;
  uint32_t cores = 1;
  uint32_t servers = 1;
  bool a_silent_server = false;  // one more that never accepts
  bool probes = false;           // the servers are probed, by connecting
  bool minds_pace = false;  // clients have a minimum pace, and those that stop reading only read very slowly
  uint32_t connections_max = 10'000;
  bool scarce = false;          // too little of something: requests may wait long, or be refused with 503
  uint32_t operations_max = 0;  // of the pool; 0: no limit
  // Besides, where there is that one; 0: no limit.
  uint32_t operations_of_server_max = 0, advertisements_max = 0, clones_max = 0, adaptive_min = 0;
  uint32_t head_buffers = 4096, bulk_buffers = 128, pipes = 16, head_rooms = 2048;
  config::UploadPackFraming upload_pack_framing{};
  Faults faults;
  std::vector<Restart> restarts;
  std::vector<Drain> drains, absences;
  uint32_t slow_server = UINT32_MAX;  // takes its time for every answer
  int64_t drain_ns = 0;               // 0: only when everybody is done
  int64_t stop_ns = 0;
  std::vector<ClientPlan> clients;

  // Nothing happens that could make a well-behaved request fail.
  bool quiet() const noexcept;
  std::string describe() const;
};

struct Reduction {
  std::vector<uint32_t> clients;  // only these; empty: all
  std::vector<uint32_t> without_clients;
  uint32_t requests_max = UINT32_MAX;
  std::vector<uint8_t> without_faults;
  bool no_restarts = false, no_drain = false;
  std::string arguments() const;  // for the command line
};

Scenario make_scenario(uint64_t seed, const Reduction& reduction);

}  // namespace breakwater::sim
