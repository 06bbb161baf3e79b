// What became of one operation: a plain value, written by whoever performed it, read by the Collector.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace breakwater::storm {

// The classes of failures. One operation has one: the first.
enum class Failure : uint8_t {
  none,
  connect,    // no connection
  tls,        // no handshake, or a certificate that is not the server's
  http,       // no HTTP that can be read, or a connection that broke before an answer
  status,     // another status than the one that was asked for
  refused,    // the same, with Retry-After: the server says that it is too busy
  error,      // an `ERR` line of Git's
  sideband,   // a message on band 3
  git,        // an answer that is not Git's, a push that was not taken
  truncated,  // an end before the end
  corrupt,    // a pack that is not what it says: its trailing hash, its header, or without what was asked for
  stalled,    // not a byte for too long
  timed_out,  // longer than the whole try may take
  local,      // of our own: no descriptor, no memory. The run is not valid then
};
inline constexpr uint8_t failures = 14;
std::string_view name(Failure failure) noexcept;     // "timed_out"
std::string_view explain(Failure failure) noexcept;  // a sentence without an end: "longer than ..."

// When what was there first, of the try that counts.
enum class Phase : uint8_t {
  connect,        // the (first) connection
  tls,            // its handshake is done
  challenge,      // the 401 has come
  advertisement,  // is whole
  refs,           // the answer to ls-refs is whole
  first_byte,     // of the answer to the last request: the fetch, the push, the page
  first_pack,     // the first byte of the pack
  done,
};
inline constexpr uint8_t phases = 8;
std::string_view name(Phase phase) noexcept;  // "first_pack"

struct Outcome {
  uint16_t operation = 0;  // by its index in the scenario
  uint32_t repository = 0;
  uint32_t runner = 0;
  Failure failure = Failure::none;
  uint16_t status = 0;  // of the last answer; 0: none came
  // Monotonic. Latency counts from `intended_ns`; `started_ns` is when the generator came to it.
  int64_t intended_ns = 0, started_ns = 0, ended_ns = 0;
  // Since `started_ns`, of the last try; -1: it did not come to that.
  std::array<int64_t, phases> phase_ns = {-1, -1, -1, -1, -1, -1, -1, -1};
  uint64_t bytes_received = 0, bytes_sent = 0;  // of HTTP, heads and framing among them, all tries
  uint64_t pack_bytes = 0;
  uint32_t pack_objects = 0;  // as the pack's header says
  uint16_t requests = 0, connections = 0, tries = 1;
  uint16_t stalls = 0;          // times without a byte for at least a second
  bool deeply_checked = false;  // its pack was unpacked and every object's id computed
  bool vanished = false;        // the runner went away in the middle, as it was told to; not a failure

  int64_t latency_ns() const noexcept { return ended_ns - intended_ns; }
};

}  // namespace breakwater::storm
