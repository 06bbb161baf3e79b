// Ring: one io_uring of one thread. The simulator has a twin of this class, chosen when linking (tests/sim).
//
// submit() only queues. wait() hands everything queued to the kernel, waits for a completion or the time
// given, and takes the completions over; dispatch() runs their hooks. So nothing runs inside submit(), stacks
// stay short, and the owner can read the clock between the two: what hooks compute from it must not be older
// than the wait. Requires Linux 6.1: SINGLE_ISSUER, DEFER_TASKRUN, provided-buffer rings, multishot accept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "ring/op.h"

namespace breakwater {

struct RingCounts {
  uint64_t enters = 0;  // io_uring_enter calls
  uint64_t waits = 0;   // those of them that may sleep until something completes or the time is up
  uint64_t sqes = 0;
  uint64_t completions = 0;
};

class Ring {
 public:
  // Opens a ring for the calling thread; it takes the operations of op.h and no others, whoever writes to it.
  // On failure the ring is null and `why` is a sentence with cause and cure.
  static std::unique_ptr<Ring> open(uint32_t entries, std::string& why);
  ~Ring();  // no op may be in flight
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  void submit(Op& op) noexcept;
  // Asks the kernel to end `op` early. A request, not a promise: its completion still comes, with any result.
  void cancel(Op& op) noexcept;
  // wait_ns: 0 does not wait, negative waits without end.
  void wait(int64_t wait_ns) noexcept;
  void dispatch() noexcept;

  // Makes a group of `count` (a power of two) buffers of `bytes` each, the first at `base`, each `stride`
  // bytes behind the one before. None of them is with the kernel yet. Once per group.
  bool make_group(uint16_t group, char* base, size_t bytes, size_t stride, uint32_t count) noexcept;
  // The kernel may pick this buffer; it does so in the order in which they were provided.
  void provide(uint16_t group, uint16_t buffer_id) noexcept;

  uint32_t in_flight() const noexcept;
  const RingCounts& counts() const noexcept;

 private:
  struct Impl;
  explicit Ring(std::unique_ptr<Impl> impl) noexcept;
  std::unique_ptr<Impl> impl_;
};

// What this kernel offers, probed once, as lines for --version. `usable` is false if something required is
// missing, and then `why` says what and how to cure it.
struct RingFeatures {
  bool usable = false;
  std::string why;
  std::string summary;
};
RingFeatures probe_ring_features();

}  // namespace breakwater
