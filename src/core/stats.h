// What one core counts. Written by its own thread only (plain store of a relaxed atomic), read by any.
//
// The lists below are the whole truth: metrics and the totals are made from them.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

namespace breakwater {

class Count {
 public:
  void add(uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void subtract(uint64_t amount = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) - amount, std::memory_order_relaxed);
  }
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

// name, help
#define BW_COUNTERS(X)                                                                                      \
  X(connections_accepted, "client connections accepted")                                                    \
  X(connections_refused, "client connections answered with 503 or closed: at the limit, or out of memory")  \
  X(idle_clients_closed, "idle client connections closed at the limit, for others")                         \
  X(tls_handshakes, "TLS handshakes of clients that were done")                                             \
  X(tls_resumed, "those of them that went on from an earlier one, by a ticket")                             \
  X(tls_kernel, "those of them whose records the kernel does since")                                        \
  X(accept_pauses, "times accepting paused for want of descriptors")                                        \
  X(requests, "requests whose head was read, refused, or left by the client before its end")                \
  X(requests_refused, "requests we answered ourselves with an error")                                       \
  X(responses_aborted, "responses cut off because a side failed in the middle")                             \
  X(git_advertise, "info/refs requests")                                                                    \
  X(git_upload_pack, "upload-pack requests (clone, fetch)")                                                 \
  X(git_receive_pack, "receive-pack requests (push)")                                                       \
  X(packs_until_close, "upload-pack answers taken by HTTP/1.0, their end proven by Git's own framing")      \
  X(server_connects, "connections opened to servers")                                                       \
  X(server_connect_failures, "connections to servers that failed")                                          \
  X(server_tls_failures, "connections to servers whose TLS failed before anything was sent")                \
  X(server_reuses, "requests sent over a pooled server connection")                                         \
  X(server_idle_closes, "pooled server connections that the server closed while idle")                      \
  X(retries, "attempts beyond a request's first: on a fresh connection, by HTTP/1.1, or on another server") \
  X(failovers,                                                                                              \
    "attempts on another server after one could not be reached or failed before its answer began")          \
  X(packs_taken_over, "packs made by another server after one failed that had only told of its progress")   \
  X(retries_over_budget,                                                                                    \
    "requests not sent to another server because the pool's share of retries was used up")                  \
  X(queue_waits, "operations that waited for a limit of their pool")                                        \
  X(queue_refusals, "operations refused because of a limit: the queue was full, or the wait too long")      \
  X(probes_sent, "probes of servers begun")                                                                 \
  X(probes_failed, "probes of servers that failed")                                                         \
  X(agents_asked, "questions to servers' agents begun")                                                     \
  X(agents_failed, "questions to servers' agents without an answer that says anything")                     \
  X(bytes_from_clients, "request body bytes from clients")                                                  \
  X(bytes_to_clients, "response body bytes to clients")                                                     \
  X(bytes_copied, "body bytes moved through user space")                                                    \
  X(bytes_spliced, "body bytes moved by splice")                                                            \
  X(bytes_looked_at, "body bytes looked at in user space ahead of a splice")                                \
  X(splice_calls, "splice system calls")                                                                    \
  X(buffer_waits, "times work waited for a buffer")                                                         \
  X(pipe_misses, "bodies copied because no pipe was free")                                                  \
  X(timeouts, "timeouts that fired")                                                                        \
  X(slow_clients, "requests cut because their client took or gave less than client_pace")                   \
  X(log_dropped, "access log lines dropped because the log could not keep up")                              \
  X(ring_enters, "io_uring_enter system calls")                                                             \
  X(ring_sqes, "io_uring submissions")                                                                      \
  X(wake_ups, "waits of the loop that may sleep; context_switches_voluntary has those that did")            \
  X(system_calls, "system calls of the cores, ring enters included")                                        \
  X(allocations, "heap allocations of the cores, coroutine frames included")                                \
  X(frames_allocated, "coroutine frames that came from the allocator")

#define BW_GAUGES(X)                                                \
  X(connections_open, "client connections open")                    \
  X(exchanges_active, "requests being served")                      \
  X(queue_length, "operations that wait for a limit of their pool") \
  X(server_connections_open, "connections to servers open")         \
  X(server_connections_idle, "connections to servers in the pool")  \
  X(buffers_free, "head buffers not in use")                        \
  X(answer_buffers_free, "answer buffers not in use")               \
  X(bulk_buffers_free, "bulk buffers not in use")                   \
  X(pipes_in_use, "pipes in use")

struct Stats {
#define BW_MEMBER(name, help) Count name;
  BW_COUNTERS(BW_MEMBER)
  BW_GAUGES(BW_MEMBER)
#undef BW_MEMBER
  // TLS of clients that failed, by tls::FaultKind: in the handshake or later.
  std::array<Count, 32> tls_failures;
  // Requests that were refused or cut off because of what they are, by wire::Fault.
  std::array<Count, 32> request_faults;
};

}  // namespace breakwater
