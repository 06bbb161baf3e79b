// What the simulated kernel and network may do to the proxy, each with its chance in one of 1000 tries.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace breakwater::sim {

enum class Fault : uint8_t {
  short_read,       // fewer bytes than there are
  short_write,      // fewer bytes than there is room for
  again,            // EAGAIN from a direct call although it could go on
  late_start,       // an operation is tried only after a while
  late_completion,  // it is done, but its completion comes later
  reorder,          // completions of one turn in any order
  partial_turn,     // a turn sees only some of the completions that are there
  network_reset,    // a connection breaks
  slow_network,     // bytes take milliseconds instead of microseconds
  no_descriptors,   // EMFILE
  no_memory,        // ENOMEM from a receive, a send or a poll
  no_buffers,       // ENOBUFS although there are buffers
  small_pipe,       // a pipe of one page
  end_of_accept,    // a multishot accept ends
  time_jump,        // the process did not run for a while
};
inline constexpr size_t fault_kinds = 15;
inline constexpr std::array<std::string_view, fault_kinds> fault_names = {
    "short_read", "short_write",  "again",         "late_start",    "late_completion",
    "reorder",    "partial_turn", "network_reset", "slow_network",  "no_descriptors",
    "no_memory",  "no_buffers",   "small_pipe",    "end_of_accept", "time_jump"};

struct Faults {
  std::array<uint16_t, fault_kinds> per_mille{};
  uint16_t& operator[](Fault fault) noexcept { return per_mille[static_cast<size_t>(fault)]; }
  uint16_t operator[](Fault fault) const noexcept { return per_mille[static_cast<size_t>(fault)]; }
};

// Faults after which a request may fail although nobody did anything wrong.
inline constexpr bool may_break_requests(Fault fault) noexcept {
  return fault == Fault::network_reset || fault == Fault::no_descriptors || fault == Fault::no_memory ||
         fault == Fault::time_jump;
}

}  // namespace breakwater::sim
