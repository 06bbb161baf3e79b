// Flow: the pace of a stream that is spliced, and how many bytes it is worth being woken for.
//
// A server that writes 8 KB at a time would wake us for each 8 KB. Once a stream has been fast for a while,
// we ask the kernel (SO_RCVLOWAT) to wake us for what comes in a few milliseconds at its pace. That must
// never hold back a trickle, such as Git's progress messages: when less comes than was thought (the owner's
// timer calls lull() after twice that time), every byte wakes us again until the stream has proved itself
// anew, each time for longer. Pure.
#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater::proxy {

class Flow {
 public:
  static constexpr size_t low_water_max = 1024 * 1024;
  static constexpr size_t low_water_min = 16 * 1024;  // less is not worth a system call
  static constexpr uint64_t proof_bytes = 256 * 1024;

  // `end_shows`: the last bytes will be heard of whatever the low water is, because their number is known or
  // the connection ends with them. Where it doesn't, the end of a body waits for lull(), so low water must be
  // worth that, and low.
  void start(int64_t now_ns, bool end_shows) noexcept;
  void moved(size_t bytes) noexcept { window_bytes_ += bytes; }
  // To be asked when there is nothing more to read: how many bytes to wait for.
  size_t low_water(int64_t now_ns) noexcept;
  void lull() noexcept;
  int64_t wait_ns() const noexcept { return end_shows_ ? 8'000'000 : 2'000'000; }  // what low_water() aims at

 private:
  static constexpr size_t much_at_once = 128 * 1024;  // few wake-ups could be saved

  bool end_shows_ = false;
  int64_t window_begun_ns_ = 0;
  uint64_t window_waits_ = 0;
  uint64_t window_bytes_ = 0;
  uint64_t proven_bytes_ = 0;
  uint64_t proof_wanted_ = proof_bytes;
  size_t low_water_ = 1;
};

}  // namespace breakwater::proxy
