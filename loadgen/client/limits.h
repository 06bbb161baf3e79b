// What a storm may hold, added up. Memory of one core:
//
//   buffers       bulk_buffers x (lead + 128 KiB)                    64 x 145 KiB = 9.1 MiB, touched as
//   needed runners       each runner_bytes_max, idle or not                 10,000 x 16 KiB = 157 MiB
//   operations    each running one operation_bytes_max               10,000 x 48 KiB = 469 MiB at most
//
// So 10,000 runners that are all in the middle of a pack stay below 640 MiB, buffers included, whatever the
// number of cores; the kernel's socket buffers are not counted, nor what TLS needs for each connection.
// What a request has to name comes on top while it is sent: 33 bytes and 50 bytes for each ref that is
// wanted. An operation that downloads LFS objects has the frames of up to eight, and as many connections.
#pragma once

#include <cstddef>
#include <cstdint>

#include "client/local_copies.h"
#include "client/runner.h"
#include "core/core.h"
#include "git/pack_check.h"

namespace breakwater::storm {

inline constexpr size_t runner_bytes_max = sizeof(Runner) + LocalCopies::bytes_max;
static_assert(runner_bytes_max <= 16 * 1024);

// Frames of coroutines (a test counts them), a pack's check, and the text of a request and its head.
inline constexpr size_t operation_frames_bytes_max = 12 * 1024;
inline constexpr size_t operation_bytes_max =
    operation_frames_bytes_max + PackCheck::window_bytes + 20 * 1024;

// A receive holds its buffer until what came was looked at, in the same turn of the loop; only who has a part
// of a head keeps it longer.
inline CoreLimits core_limits() noexcept {
  CoreLimits limits;
  limits.ring_entries = 4096;
  limits.head_buffers = limits.answer_buffers = 16;  // not used
  limits.bulk_buffer_bytes = 128 * 1024;
  limits.bulk_buffers = 64;
  limits.head_rooms = 1;
  limits.pipes = 1;
  return limits;
}

}  // namespace breakwater::storm
