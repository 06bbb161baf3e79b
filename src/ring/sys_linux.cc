// The seam's Linux side.
#include "ring/sys.h"

#include <fcntl.h>
#include <linux/tcp.h>
#include <linux/tls.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>

#include "base/second.h"
#include "base/thread_counts.h"

namespace breakwater::sys {

namespace {

int64_t read_clock(clockid_t clock) noexcept {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * second_ns + now.tv_nsec;
}

// Before each call of the kernel. listen_on is of the start-up, and not counted.
void count_call() noexcept {
  thread_counts.system_calls++;
}

void set(int fd, int level, int option, int value) noexcept {
  count_call();
  setsockopt(fd, level, option, &value, sizeof value);
}

int bind_and_listen(int fd, const Address& address, int backlog) noexcept {
  if (bind(fd, &address.any, address.bytes) != 0 || listen(fd, backlog) != 0) return -errno;
  return 0;
}

}  // namespace

int64_t monotonic_ns() noexcept {
  return read_clock(CLOCK_MONOTONIC);
}
int64_t realtime_ns() noexcept {
  return read_clock(CLOCK_REALTIME);
}

int stream_socket(const Address& peer) noexcept {
  count_call();
  const int fd = socket(peer.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  return fd < 0 ? -errno : fd;
}

void tune_connection(int fd) noexcept {
  set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set(fd, IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(fd, IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(fd, IPPROTO_TCP, TCP_KEEPCNT, 4);
}

int listen_on(Address& address, int backlog, bool exclusive) noexcept {
  if (exclusive && address.port() != 0) {
    const int probe = stream_socket(address);
    if (probe < 0) return probe;
    set(probe, SOL_SOCKET, SO_REUSEADDR, 1);
    const int status = bind_and_listen(probe, address, 1);
    ::close(probe);
    if (status < 0) return status;
  }
  // Blocking on purpose: older kernels complete an accept on a non-blocking listener with EAGAIN instead of
  // waiting.
  const int fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  tune_connection(fd);
  const int status = bind_and_listen(fd, address, backlog);
  if (status < 0) {
    ::close(fd);
    return status;
  }
  local_address(fd, address);
  return fd;
}

int peer_address(int fd, Address& address) noexcept {
  count_call();
  address.bytes = sizeof address.v6;
  return getpeername(fd, &address.any, &address.bytes) == 0 ? 0 : -errno;
}

int local_address(int fd, Address& address) noexcept {
  count_call();
  address.bytes = sizeof address.v6;
  return getsockname(fd, &address.any, &address.bytes) == 0 ? 0 : -errno;
}

bool nothing_to_read(int fd) noexcept {
  char byte = 0;
  return peek(fd, &byte, 1) == -EAGAIN;
}

bool peer_ended(int fd) noexcept {
  count_call();
  pollfd look{fd, POLLRDHUP, 0};
  return poll(&look, 1, 0) > 0;
}

int64_t peek(int fd, void* data, size_t bytes) noexcept {
  count_call();
  const ssize_t seen = recv(fd, data, bytes, MSG_PEEK | MSG_DONTWAIT);
  return seen < 0 ? -errno : seen;
}

int64_t receive_now(int fd, void* data, size_t bytes) noexcept {
  count_call();
  const ssize_t received = recv(fd, data, bytes, MSG_DONTWAIT);
  return received < 0 ? -errno : received;
}

void set_low_water(int fd, size_t bytes) noexcept {
  set(fd, SOL_SOCKET, SO_RCVLOWAT, static_cast<int>(bytes));
}

bool peer_progress(int fd, PeerProgress& progress) noexcept {
  count_call();
  tcp_info info{};
  socklen_t bytes = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &bytes) != 0) return false;
  if (bytes < offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received) return false;
  progress = {info.tcpi_bytes_acked, info.tcpi_bytes_received};
  return true;
}

int close(int fd) noexcept {
  count_call();
  return ::close(fd) == 0 ? 0 : -errno;
}
int shutdown_write(int fd) noexcept {
  count_call();
  return ::shutdown(fd, SHUT_WR) == 0 ? 0 : -errno;
}
int abort_connection(int fd) noexcept {
  count_call();
  sockaddr nobody{};
  nobody.sa_family = AF_UNSPEC;
  if (::connect(fd, &nobody, sizeof nobody) == 0) return 0;
  reset_on_close(fd);
  count_call();
  return ::shutdown(fd, SHUT_RDWR) == 0 ? 0 : -errno;
}

void reset_on_close(int fd) noexcept {
  count_call();
  const linger now{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

int64_t send_now(int fd, const void* data, size_t bytes, bool more) noexcept {
  count_call();
  const ssize_t sent = send(fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0));
  return sent < 0 ? -errno : sent;
}

bool kernel_has_tls() noexcept {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return false;
  const int status = take_tls_keys(fd);
  ::close(fd);
  return status == 0 || status == -ENOTCONN;
}

int take_tls_keys(int fd) noexcept {
  count_call();
  return setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof "tls") == 0 ? 0 : -errno;
}

int set_tls_key(int fd, bool is_for_sending, const void* info, size_t bytes) noexcept {
  count_call();
  const int direction = is_for_sending ? TLS_TX : TLS_RX;
  return setsockopt(fd, SOL_TLS, direction, info, static_cast<socklen_t>(bytes)) == 0 ? 0 : -errno;
}

TlsRecord::TlsRecord(uint8_t type, const void* data, size_t bytes) noexcept
    : part_{const_cast<void*>(data), bytes} {
  message.msg_iov = &part_;
  message.msg_iovlen = 1;
  message.msg_control = control_;
  message.msg_controllen = sizeof control_;
  cmsghdr* const head = CMSG_FIRSTHDR(&message);
  head->cmsg_level = SOL_TLS;
  head->cmsg_type = TLS_SET_RECORD_TYPE;
  head->cmsg_len = CMSG_LEN(sizeof type);
  *CMSG_DATA(head) = type;
}

int64_t send_tls_record(int fd, uint8_t type, const void* data, size_t bytes) noexcept {
  count_call();
  const TlsRecord record(type, data, bytes);
  const ssize_t sent = sendmsg(fd, &record.message, MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent < 0 ? -errno : sent;
}

void forget_error(int fd) noexcept {
  count_call();
  int error = 0;
  socklen_t bytes = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
}

int64_t receive_tls_record(int fd, uint8_t& type, void* data, size_t bytes) noexcept {
  count_call();
  TlsRecord record(0, data, bytes);  // its place for a type takes the one that came
  const ssize_t received = recvmsg(fd, &record.message, MSG_DONTWAIT);
  if (received < 0) return -errno;
  const cmsghdr* const head = CMSG_FIRSTHDR(&record.message);
  if (head == nullptr || head->cmsg_level != SOL_TLS || head->cmsg_type != TLS_GET_RECORD_TYPE)
    return -EPROTO;
  type = *CMSG_DATA(head);
  return received;
}

int make_pipe(PipeEnds& pipe, size_t bytes) noexcept {
  count_call();
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return -errno;
  pipe.read = ends[0];
  pipe.write = ends[1];
  count_call();
  int granted = fcntl(pipe.write, F_SETPIPE_SZ, static_cast<int>(bytes));
  if (granted < 0) granted = fcntl(pipe.write, F_GETPIPE_SZ);  // over the user's share: keep the default size
  pipe.capacity = granted > 0 ? static_cast<size_t>(granted) : 65536;
  return 0;
}

int64_t splice_now(int from, int to, size_t bytes, bool more) noexcept {
  count_call();
  const unsigned flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK | (more ? unsigned{SPLICE_F_MORE} : 0u);
  const ssize_t moved = splice(from, nullptr, to, nullptr, bytes, flags);
  return moved < 0 ? -errno : moved;
}

int make_event() noexcept {
  count_call();
  const int fd = eventfd(0, EFD_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

void signal_event(int fd) noexcept {
  count_call();
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(fd, &one, sizeof one);  // full counts as signalled
}

}  // namespace breakwater::sys
