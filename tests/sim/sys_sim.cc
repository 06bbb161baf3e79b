// The twin of sys_linux.cc: the direct system calls of the data path, answered by the simulated kernel.
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "ring/sys.h"
#include "sim/kernel.h"
#include "sim/verdict.h"

namespace breakwater::sys {

using sim::Descriptor;
using sim::Fault;
using sim::Kernel;

namespace {

constexpr size_t page_bytes = 4096;

sim::End& connection_of(int fd, const char* what) {
  Descriptor& descriptor = Kernel::current().must(fd, what);
  if (descriptor.kind != Descriptor::Kind::connection)
    sim::violation(std::string(what) + " of what is no connection");
  return *descriptor.end;
}

}  // namespace

int64_t monotonic_ns() noexcept {
  return Kernel::current().now_ns();
}
int64_t realtime_ns() noexcept {
  return Kernel::current().now_ns() + 1'700'000'000'000'000'000;
}

int listen_on(Address& address, int, bool) noexcept {
  return Kernel::current().listen_as_proxy(address);
}

int stream_socket(const Address&) noexcept {
  return Kernel::current().open(Descriptor::Kind::socket);
}

void tune_connection(int fd) noexcept {
  Kernel::current().must(fd, "setsockopt");
}

int peer_address(int fd, Address& address) noexcept {
  address = connection_of(fd, "getpeername").remote;
  return 0;
}
int local_address(int fd, Address& address) noexcept {
  address = connection_of(fd, "getsockname").local;
  return 0;
}

bool nothing_to_read(int fd) noexcept {
  sim::End& end = connection_of(fd, "peek");
  const bool nothing = (Kernel::current().poll_mask(end) & (POLLIN | POLLERR)) == 0;
  Kernel::current().trace("kernel", "connection ", end.connection,
                          nothing ? " has nothing to read" : " has something to read");
  return nothing;
}

bool peer_ended(int fd) noexcept {
  sim::End& end = connection_of(fd, "a poll");
  return (Kernel::current().poll_mask(end) & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

int64_t peek(int fd, void* data, size_t bytes) noexcept {
  Kernel& kernel = Kernel::current();
  sim::End& end = connection_of(fd, "peek");
  if (kernel.strikes(Fault::again)) return -EAGAIN;
  if (bytes > 1 && kernel.strikes(Fault::short_read)) bytes = 1 + kernel.below(bytes);
  const sim::Stream& in = end.in;
  if (in.arrived == 0) return kernel.receive(end, data, bytes);  // nothing, the end or a reset
  const size_t seen = std::min(bytes, in.arrived);
  std::memcpy(data, in.bytes.data() + in.read_at, seen);
  kernel.cover("peek: bytes");
  return static_cast<int64_t>(seen);
}

int64_t receive_now(int fd, void* data, size_t bytes) noexcept {
  Kernel& kernel = Kernel::current();
  sim::End& end = connection_of(fd, "a receive");
  if (kernel.strikes(Fault::again)) return -EAGAIN;
  if (bytes > 1 && kernel.strikes(Fault::short_read)) bytes = 1 + kernel.below(bytes);
  kernel.cover("receive now");
  return kernel.receive(end, data, bytes);
}

void set_low_water(int fd, size_t bytes) noexcept {
  Kernel& kernel = Kernel::current();
  sim::End& end = connection_of(fd, "setsockopt");
  end.low_water = bytes;
  kernel.trace("proxy", "wants ", bytes, " bytes at once of connection ", end.connection);
  kernel.cover(bytes > 1 ? "low water: raised" : "low water: lowered");
  kernel.changed(end);
}

bool peer_progress(int fd, PeerProgress& progress) noexcept {
  const sim::End& end = connection_of(fd, "getsockopt");
  progress = {end.peer->in.ever_arrived, end.in.ever_arrived};
  return true;
}

int close(int fd) noexcept {
  Kernel::current().close_fd(fd);
  return 0;
}
int shutdown_write(int fd) noexcept {
  Kernel::current().shutdown_write(connection_of(fd, "shutdown"));
  return 0;
}
int abort_connection(int fd) noexcept {
  Kernel::current().abort(connection_of(fd, "an abort"));
  return 0;
}
void reset_on_close(int fd) noexcept {
  Kernel::current().must(fd, "setsockopt").reset_on_close = true;
}

int64_t send_now(int fd, const void* data, size_t bytes, bool) noexcept {
  Kernel& kernel = Kernel::current();
  sim::End& end = connection_of(fd, "send");
  if (kernel.strikes(Fault::again)) return -EAGAIN;
  if (bytes > 1 && kernel.strikes(Fault::short_write)) bytes = 1 + kernel.below(bytes);
  return kernel.send(end, data, bytes);
}

// This kernel has none; who asks for it all the same has not asked first.
bool kernel_has_tls() noexcept {
  return false;
}
int take_tls_keys(int) noexcept {
  return -ENOENT;
}
int set_tls_key(int, bool, const void*, size_t) noexcept {
  return -ENOPROTOOPT;
}
TlsRecord::TlsRecord(uint8_t, const void* data, size_t bytes) noexcept
    : part_{const_cast<void*>(data), bytes} {}
int64_t send_tls_record(int, uint8_t, const void*, size_t) noexcept {
  return -EINVAL;
}
void forget_error(int) noexcept {}
int64_t receive_tls_record(int, uint8_t&, void*, size_t) noexcept {
  return -EINVAL;
}

int make_pipe(PipeEnds& pipe, size_t bytes) noexcept {
  Kernel& kernel = Kernel::current();
  const int read = kernel.open(Descriptor::Kind::pipe_read);
  if (read < 0) return read;
  const int write = kernel.open(Descriptor::Kind::pipe_write);
  if (write < 0) {
    kernel.must(read, "pipe") = Descriptor{};
    return write;
  }
  auto state = std::make_shared<sim::PipeState>();
  state->capacity = kernel.strikes(Fault::small_pipe) ? page_bytes : bytes;
  kernel.must(read, "pipe").pipe = state;
  kernel.must(write, "pipe").pipe = state;
  pipe = {read, write, state->capacity};
  return 0;
}

int64_t splice_now(int from, int to, size_t bytes, bool) noexcept {
  Kernel& kernel = Kernel::current();
  Descriptor& source = kernel.must(from, "splice");
  Descriptor& sink = kernel.must(to, "splice");
  if (kernel.strikes(Fault::again)) return -EAGAIN;
  const bool fills = sink.kind == Descriptor::Kind::pipe_write;
  if (bytes > 1 && kernel.strikes(fills ? Fault::short_read : Fault::short_write))
    bytes = 1 + kernel.below(bytes);
  if (fills) {
    sim::PipeState& pipe = *sink.pipe;
    const size_t places = pipe.capacity / page_bytes - pipe.pieces.size();
    if (places == 0) return -EAGAIN;
    std::string moved(std::min({bytes, places * page_bytes, source.end->in.arrived}), '\0');
    if (moved.empty()) {
      char nothing = 0;
      return kernel.receive(*source.end, &nothing, 1);
    }
    const int64_t got = kernel.receive(*source.end, moved.data(), moved.size());
    pipe.bytes += moved;
    for (size_t left = moved.size(); left > 0; left -= pipe.pieces.back())
      pipe.pieces.push_back(std::min(left, page_bytes));
    kernel.cover("splice: into a pipe");
    return got;
  }
  sim::PipeState& pipe = *source.pipe;
  const size_t most = std::min(bytes, pipe.bytes.size());
  if (most == 0) return -EAGAIN;
  const int64_t sent = kernel.send(*sink.end, pipe.bytes.data(), most);
  if (sent <= 0) return sent;
  pipe.bytes.erase(0, static_cast<size_t>(sent));
  for (auto left = static_cast<size_t>(sent); left > 0;) {
    const size_t part = std::min(left, pipe.pieces.front());
    pipe.pieces.front() -= part;
    if (pipe.pieces.front() == 0) pipe.pieces.pop_front();
    left -= part;
  }
  kernel.cover("splice: out of a pipe");
  return sent;
}

int make_event() noexcept {
  return Kernel::current().open(Descriptor::Kind::event);
}
void signal_event(int fd) noexcept {
  Kernel& kernel = Kernel::current();
  kernel.must(fd, "an event").event_count++;
  kernel.changed(fd);
}

}  // namespace breakwater::sys
