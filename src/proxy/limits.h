// Every bound of the data plane, and the sum that explains the memory (docs/memory.md says it for operators).
//
// Per core, with the defaults of config::Limits:
//   head buffers    1024 x  20 KiB = 20 MiB   requests' heads and small bodies; held while they are served
//   answer buffers   256 x  20 KiB =  5 MiB   answers' heads and small bodies (a quarter of the head buffers)
//   bulk buffers     128 x 128 KiB = 16 MiB   bodies that are copied: at most two for each direction
//   outgoing heads   512 x  20 KiB = 10 MiB   heads while they are sent
//   log ring           1 x   1 MiB =  1 MiB
//   look room          1 x  64 KiB            what a splice looks at ahead of time (Core::look_room)
//   seal room          1 x  68 KiB            records of TLS on their way out (Core::seal_room)
//   handshakes       256 x  11 KiB =  3 MiB   of TLS; what of a hello is there waits in the socket
//   in front of each buffer   17 KiB          touched by TLS alone (Core::buffer_lead_bytes)
//   per client connection  <  4 KiB   Session and its suspended coroutine; no buffer while it waits
//   the same over TLS      <  4 KiB   more, 17 KiB while half a record of it is there; and up to 49 KiB of
//                                     sealed records while its client is slow
//   per server connection  <  1 KiB   UpstreamConnection, in use or idle
//   per probed server      <  4 KiB   Prober and its coroutine, on the first core; for http and git 20 KiB
//                                     more, over TLS 20 KiB besides
//   per request            < 16 KiB   Exchange: two heads' fields, two pumps
// Pages of a pool that were never used cost nothing. Pipes hold references to socket memory, not copies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "config/config.h"

namespace breakwater::proxy {

// What rewriting may add to a head: X-Forwarded-*, X-Request-Id, Host, framing, a cookie.
inline constexpr size_t head_growth_bytes = 4 * 1024;
inline constexpr size_t head_buffer_bytes = 16 * 1024 + head_growth_bytes;
inline constexpr size_t bulk_buffer_bytes = 128 * 1024;
inline constexpr size_t pipe_bytes = 1024 * 1024;
inline constexpr uint32_t head_rooms = 512;
inline constexpr size_t log_ring_bytes = 1024 * 1024;
inline constexpr uint32_t ring_entries = 1024;

// A body of at least this length, or one of unknown length that already passed `splice_after_bytes`, is
// spliced.
inline constexpr uint64_t splice_length_min = 64 * 1024;
inline constexpr uint64_t splice_after_bytes = 256 * 1024;

// Connections past config::Limits::connections that still get a 503; further ones are closed at once.
inline constexpr uint32_t refusals_max = 64;

// A client that waits for its answer longer than this is watched, so that a server does not work for nobody.
inline constexpr int64_t watch_after_ns = 5'000'000;

// A head that is not whole after this long gives its buffer up if others wait for one, which is looked at so
// often.
inline constexpr int64_t head_patience_ns = 1'000'000'000;
inline constexpr int64_t look_for_waiters_every_ns = 250'000'000;

// A client that has been idle for so long gives its place up if the limit of connections is reached.
inline constexpr int64_t idle_patience_ns = 1'000'000'000;

// Servers that one request may be sent to, one after the other. A pool may have more; who waits would not.
inline constexpr uint32_t servers_tried_max = 8;

// Of a Git answer that are waited for before it is begun towards the client: its first pkt-lines.
inline constexpr size_t git_words_bytes_max = 1024;

// How often a request that waits for its answer looks whether its server is still in rotation.
inline constexpr int64_t look_at_server_every_ns = 250'000'000;

// Of an answer to a probe: its head, and what is read behind it to see whether it is Git's.
inline constexpr size_t probe_head_bytes_max = 16 * 1024;
inline constexpr size_t probe_answer_bytes = probe_head_bytes_max + 4 * 1024;

// A client is counted with its network: so many bytes of its address, /24 or /56.
inline constexpr size_t network_bytes_of_ipv4 = 3;
inline constexpr size_t network_bytes_of_ipv6 = 7;

// Interim (1xx) answers to one request; a server that sends more has lost its way.
inline constexpr uint32_t interim_answers_max = 64;

// Dropped after an early answer, so that a client that still sends can read it (RFC 9112 §9.6).
inline constexpr uint64_t linger_bytes_max = 16 * 1024 * 1024;

}  // namespace breakwater::proxy
