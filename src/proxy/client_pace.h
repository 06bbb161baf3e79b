// ClientPace: does a client take, or give, as many bytes as it must for the time that it was waited for?
// Pure.
//
// Both figures only ever grow: how long the client was waited for, and how many bytes it moved, also while
// nobody waited, which is in its favour. They are compared with those of the time before whenever the wait
// has grown by a window.
#pragma once

#include <cstdint>

namespace breakwater::proxy {

class ClientPace {
 public:
  struct Reading {
    int64_t waited_ns = 0;
    uint64_t bytes = 0;
  };

  ClientPace(uint64_t bytes_per_second, int64_t window_ns) noexcept
      : bytes_per_second_(bytes_per_second), window_ns_(window_ns) {}

  bool begun() const noexcept { return begun_; }
  void begin(const Reading& reading) noexcept {
    begun_ = true;
    from_ = reading;
  }
  // What was read belongs to something else.
  void forget() noexcept { begun_ = false; }
  // How long the client has to be waited for until it can be judged; 0: it can be.
  int64_t left_ns(int64_t waited_ns) const noexcept {
    const int64_t waited = waited_ns - from_.waited_ns;
    return waited < window_ns_ ? window_ns_ - waited : 0;
  }
  bool is_kept(const Reading& reading) const noexcept {
    const auto waited_ms = static_cast<uint64_t>((reading.waited_ns - from_.waited_ns) / 1'000'000);
    return reading.bytes - from_.bytes >= bytes_per_second_ * waited_ms / 1000;
  }

 private:
  uint64_t bytes_per_second_;
  int64_t window_ns_;
  bool begun_ = false;
  Reading from_;
};

}  // namespace breakwater::proxy
