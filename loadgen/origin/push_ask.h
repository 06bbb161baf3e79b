// What is posted to git-receive-pack in front of the pack: the commands of a push (gitprotocol-pack(5),
// "Reference Update Request and Packfile Transfer"). Pure; `pack` is a view into the body.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "git/synthetic_repository.h"

namespace breakwater::storm::origin {

inline constexpr size_t push_updates_max = 10'000;

struct PushAsk {
  std::vector<RefUpdate> updates;  // ids of SHA-1, names as git-check-ref-format(1) allows them
  bool reports = false;            // report-status
  bool has_sideband = false;       // side-band-64k
  std::string_view pack;           // all that is behind the commands; empty if nothing is made
};

// The commands up to their flush-pkt. Nothing if one of them is none, or names what no ref can be called, or
// if they have no end or are more than push_updates_max.
std::optional<PushAsk> read_push_ask(std::string_view body);

}  // namespace breakwater::storm::origin
