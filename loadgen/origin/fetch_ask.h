// What is posted to git-upload-pack: commands of protocol v2 (gitprotocol-v2(5)) and the requests of v0 and
// v1 (gitprotocol-pack(5), "Packfile Negotiation"). Pure; views into the body.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "git/synthetic_fetch.h"

namespace breakwater::storm::origin {

struct Command {
  std::string_view name;       // "ls-refs", "fetch"; empty: there is none
  std::string_view arguments;  // pkt-lines, behind the delimiter
};
Command read_command(std::string_view body) noexcept;

enum class Acknowledge : uint8_t { one, many, detailed };  // none, multi_ack, multi_ack_detailed

struct FetchAsk {
  static constexpr size_t ids_max = 100'000;  // of wants and haves together
  std::string error;                          // a sentence: nothing else counts then
  ServedFetch request;
  bool is_done = false;
  bool is_empty = false;  // v0: nothing is wanted at all
  bool wants_progress = true;
  bool waits_for_done = false;  // v2
  // v0 and v1
  Acknowledge acknowledge = Acknowledge::one;
  bool no_done = false;       // the pack may follow at once when the server is ready
  uint16_t packet_bytes = 0;  // of the sideband; 0: none is wanted
};
inline constexpr uint16_t side_band_bytes = 1000, side_band_64k_bytes = 65520;

FetchAsk read_fetch_arguments(std::string_view arguments);  // of v2
FetchAsk read_fetch_request(std::string_view body);         // of v0 and v1

}  // namespace breakwater::storm::origin
