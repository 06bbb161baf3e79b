// The direct system calls of the data path, behind the same link-time seam as the ring, so that the simulator
// can stand in for the kernel whole. Every call is non-blocking; failures are -errno. Nothing here is
// retried.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

#include "ring/address.h"

namespace breakwater::sys {

int64_t monotonic_ns() noexcept;
int64_t realtime_ns() noexcept;

// A listening TCP socket bound with SO_REUSEPORT; `address` gets the port that was given for port 0.
// `exclusive` first makes sure that no other process listens there (SO_REUSEPORT alone would share the port
// silently). Accepted connections inherit what tune_connection() sets (tcp(7): so does Linux).
int listen_on(Address& address, int backlog, bool exclusive) noexcept;
// For a connection to `peer`: TCP, or a unix socket.
int stream_socket(const Address& peer) noexcept;
// TCP_NODELAY and keep-alive probes: what both sides' connections have. A unix socket has and needs neither:
// nothing is done then.
void tune_connection(int fd) noexcept;
int peer_address(int fd, Address& address) noexcept;
int local_address(int fd, Address& address) noexcept;

// True if there is nothing to read, not even the end (a peek).
bool nothing_to_read(int fd) noexcept;
// The peer sends no more, or the connection is broken; what came before may still be unread (POLLRDHUP).
bool peer_ended(int fd) noexcept;
// Copies what comes next without taking it: bytes, 0 at the end, or -errno. A reset is told only once, here
// too.
int64_t peek(int fd, void* data, size_t bytes) noexcept;
// Takes what is there, at most `bytes`: bytes, 0 at the end, or -errno.
int64_t receive_now(int fd, void* data, size_t bytes) noexcept;
// How many bytes must be there before a poll or a waiting receive hears of them (SO_RCVLOWAT, socket(7)); 1
// is the default. The end, a reset and a full receive buffer are heard of in any case. Lowering it wakes
// whoever now has enough. What is read without waiting doesn't care.
void set_low_water(int fd, size_t bytes) noexcept;

// What the peer's side of a TCP connection did since it was made, as this kernel knows it: bytes that it has
// acknowledged, and bytes that came from it, read or not.
struct PeerProgress {
  uint64_t taken = 0, given = 0;
};
// False if the kernel can't tell: the connection is no TCP connection.
bool peer_progress(int fd, PeerProgress& progress) noexcept;

int close(int fd) noexcept;
int shutdown_write(int fd) noexcept;
// Resets the connection now and wakes whatever waits on it: no orderly end reaches the peer, not even before
// a close, so it can't take what it has for a whole message. connect(2) with AF_UNSPEC; what is unread is
// gone. Where TLS is the kernel's that can't be done: both directions end now, without a close_notify, which
// tells the peer the same, and the close sends the reset.
int abort_connection(int fd) noexcept;
// Makes the following close send a reset, so that the peer can't take what it has for a whole message. A unix
// socket has no such thing (the peer reads to the end of what was sent), so what is sent over one must be
// framed.
void reset_on_close(int fd) noexcept;

// Bytes sent, or -errno. `more`: further bytes follow at once (MSG_MORE).
int64_t send_now(int fd, const void* data, size_t bytes, bool more) noexcept;

// ---- records of TLS that are the kernel's to seal and open (Documentation/networking/tls.rst of Linux)

// Can it? (CONFIG_TLS, or a module that can be loaded.)
bool kernel_has_tls() noexcept;
// Makes a TCP connection one that takes keys; until then its bytes pass as before. 0 or -errno.
int take_tls_keys(int fd) noexcept;
// One direction's. `info` is a tls12_crypto_info_... of linux/tls.h. 0 or -errno.
int set_tls_key(int fd, bool is_for_sending, const void* info, size_t bytes) noexcept;
// A record that is no data, of that type, as a message to be sent. `data` stays in place as long as this.
struct TlsRecord {
  TlsRecord(uint8_t type, const void* data, size_t bytes) noexcept;
  TlsRecord(const TlsRecord&) = delete;
  TlsRecord& operator=(const TlsRecord&) = delete;
  msghdr message{};

 private:
  alignas(cmsghdr) char control_[CMSG_SPACE(sizeof(uint8_t))] = {};
  iovec part_;
};
// Sends one: its bytes, or -errno.
int64_t send_tls_record(int fd, uint8_t type, const void* data, size_t bytes) noexcept;
// Forgets an error that the kernel has for the next call (SO_ERROR): after a record that could not be opened
// it would send nothing more.
void forget_error(int fd) noexcept;
// The record that comes next, whose type it tells, as much of it as there is room for: bytes, or -errno.
int64_t receive_tls_record(int fd, uint8_t& type, void* data, size_t bytes) noexcept;

struct PipeEnds {
  int read = -1, write = -1;
  size_t capacity = 0;
};
// A non-blocking pipe, as close to `bytes` as the kernel grants. 0 or -errno.
int make_pipe(PipeEnds& pipe, size_t bytes) noexcept;
// Bytes moved, 0 at the end of the input, or -errno (EAGAIN: input empty or output full).
int64_t splice_now(int from, int to, size_t bytes, bool more) noexcept;

int make_event() noexcept;           // an eventfd
void signal_event(int fd) noexcept;  // any thread

}  // namespace breakwater::sys
