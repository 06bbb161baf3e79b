// The kernel's ring. The only file that includes liburing.h, and the only switch from an Op to an SQE.
#include "ring/ring.h"

#include <liburing.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include "base/assert.h"
#include "base/second.h"
#include "base/thread_counts.h"

namespace breakwater {

namespace {

struct Completion {
  Op* op;
  int32_t result;
  uint32_t flags;
};

struct Group {
  io_uring_buf_ring* ring = nullptr;
  char* base = nullptr;
  size_t bytes = 0;
  size_t stride = 0;
  uint32_t count = 0;
};

std::string kernel_release() {
  utsname name{};
  return uname(&name) == 0 ? name.release : "unknown";
}

// Why a ring could not be had, and what to do about it.
std::string explain_setup_failure(int error) {
  const std::string release = kernel_release();
  switch (error) {
    case EPERM:
    case EACCES:
      return "the kernel denies io_uring to this process (" + std::string(strerror(error)) +
             "): check `sysctl kernel.io_uring_disabled` (must be 0, or 1 with this user in "
             "kernel.io_uring_group), "
             "and in a container allow io_uring_setup, io_uring_enter and io_uring_register in the seccomp "
             "profile";
    case ENOSYS:
      return "this kernel (" + release +
             ") has no io_uring, or a seccomp profile hides it: Linux 6.1 or newer with "
             "CONFIG_IO_URING is required";
    case EINVAL:
      return "this kernel (" + release +
             ") is too old: io_uring with SINGLE_ISSUER and DEFER_TASKRUN needs Linux 6.1";
    case ENOMEM:
      return "the kernel refused memory for io_uring: raise the locked-memory limit (ulimit -l, "
             "LimitMEMLOCK=)";
    default:
      return "io_uring can't be set up: " + std::string(strerror(error));
  }
}

struct Operation {
  uint8_t code;
  const char* name;
};
// All that fill() and cancel() make, and all that a ring takes.
constexpr Operation operations[] = {{IORING_OP_ACCEPT, "accept"},       {IORING_OP_CONNECT, "connect"},
                                    {IORING_OP_RECV, "recv"},           {IORING_OP_SEND, "send"},
                                    {IORING_OP_SENDMSG, "sendmsg"},     {IORING_OP_POLL_ADD, "poll"},
                                    {IORING_OP_ASYNC_CANCEL, "cancel"}, {IORING_OP_READ, "read"}};
constexpr uint8_t registrations[] = {IORING_REGISTER_PBUF_RING, IORING_UNREGISTER_PBUF_RING,
                                     IORING_REGISTER_RING_FDS, IORING_UNREGISTER_RING_FDS};

// A ring that takes nothing yet: see enable().
int set_up(io_uring& ring, uint32_t entries) {
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
  params.cq_entries = entries * 4;
  return io_uring_queue_init_params(entries, &ring, &params);
}

// From here on the ring is this thread's, and takes what is listed above. A filter of system calls does not
// see what is asked through a ring, and the kernel could open, rename or delete files there as well. Since
// Linux 5.10.
int enable(io_uring& ring) {
  std::vector<io_uring_restriction> allowed;
  const auto allow = [&allowed](uint16_t kind) -> io_uring_restriction& {
    io_uring_restriction& restriction = allowed.emplace_back();
    restriction.opcode = kind;
    return restriction;
  };
  for (const Operation& operation : operations) allow(IORING_RESTRICTION_SQE_OP).sqe_op = operation.code;
  for (const uint8_t each : registrations) allow(IORING_RESTRICTION_REGISTER_OP).register_op = each;
  allow(IORING_RESTRICTION_SQE_FLAGS_ALLOWED).sqe_flags = IOSQE_BUFFER_SELECT;
  // By hand: liburing 2.3 declares io_uring_enable_rings(), and does not export it.
  const auto ask = [&ring](unsigned what, void* data, size_t count) {
    return syscall(SYS_io_uring_register, ring.ring_fd, what, data, static_cast<unsigned>(count)) == 0
               ? 0
               : -errno;
  };
  const int status = ask(IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size());
  return status < 0 ? status : ask(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

std::string explain_enable_failure(int error) {
  return "io_uring can't be restricted to the operations that are needed (" + std::string(strerror(error)) +
         "): Linux 6.1 or newer is required";
}

}  // namespace

struct Ring::Impl {
  io_uring ring{};
  RingCounts counts;
  uint32_t in_flight = 0;
  std::vector<Group> groups;
  std::vector<Completion> taken;  // of this turn; as large as the completion queue, so that it never grows

  void count_enter() noexcept {
    counts.enters++;
    thread_counts.system_calls++;
  }

  io_uring_sqe* next_sqe() noexcept {
    io_uring_sqe* sqe = io_uring_get_sqe(&ring);
    if (sqe == nullptr) {  // the queue is full: hand it over early
      count_enter();
      io_uring_submit(&ring);
      sqe = io_uring_get_sqe(&ring);
      BW_ASSERT(sqe != nullptr);
    }
    counts.sqes++;
    return sqe;
  }

  void fill(io_uring_sqe* sqe, const Op& op) noexcept;
};

Ring::Ring(std::unique_ptr<Impl> impl) noexcept : impl_(std::move(impl)) {}

Ring::~Ring() {
  BW_ASSERT(impl_->in_flight == 0);
  for (Group& group : impl_->groups) {
    if (group.ring == nullptr) continue;
    const size_t index = static_cast<size_t>(&group - impl_->groups.data());
    io_uring_unregister_buf_ring(&impl_->ring, static_cast<int>(index));
    std::free(group.ring);
  }
  io_uring_queue_exit(&impl_->ring);
}

std::unique_ptr<Ring> Ring::open(uint32_t entries, std::string& why) {
  auto impl = std::make_unique<Impl>();
  const int status = set_up(impl->ring, entries);
  if (status < 0) {
    why = explain_setup_failure(-status);
    return nullptr;
  }
  const int enabled = enable(impl->ring);
  if (enabled < 0) {
    why = explain_enable_failure(-enabled);
    io_uring_queue_exit(&impl->ring);
    return nullptr;
  }
  impl->taken.reserve(*impl->ring.cq.kring_entries);
  // Saves the descriptor look-up of each enter; harmless if refused.
  io_uring_register_ring_fd(&impl->ring);
  return std::unique_ptr<Ring>(new Ring(std::move(impl)));
}

void Ring::Impl::fill(io_uring_sqe* sqe, const Op& op) noexcept {
  switch (op.kind) {
    case Op::Kind::accept:
      io_uring_prep_multishot_accept(sqe, op.fd, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
      break;
    case Op::Kind::connect:
      io_uring_prep_connect(sqe, op.fd, op.address, op.address_bytes);
      break;
    case Op::Kind::receive:
      io_uring_prep_recv(sqe, op.fd, op.data, op.bytes, op.now ? MSG_DONTWAIT : 0);
      break;
    case Op::Kind::receive_selected:
      io_uring_prep_recv(sqe, op.fd, nullptr, op.bytes, op.now ? MSG_DONTWAIT : 0);
      sqe->flags |= IOSQE_BUFFER_SELECT;
      sqe->buf_group = op.group;
      break;
    case Op::Kind::send:
      io_uring_prep_send(sqe, op.fd, op.data, op.bytes, MSG_NOSIGNAL | (op.hold ? MSG_MORE : 0));
      break;
    case Op::Kind::send_message:
      io_uring_prep_sendmsg(sqe, op.fd, op.message, MSG_NOSIGNAL | (op.hold ? unsigned{MSG_MORE} : 0u));
      break;
    case Op::Kind::poll_readable:
      io_uring_prep_poll_add(sqe, op.fd, POLLIN);
      break;
    case Op::Kind::poll_writable:
      io_uring_prep_poll_add(sqe, op.fd, POLLOUT);
      break;
    case Op::Kind::poll_gone:
      io_uring_prep_poll_multishot(sqe, op.fd, POLLRDHUP);
      break;
    case Op::Kind::poll_arrivals:
      io_uring_prep_poll_multishot(sqe, op.fd, POLLIN);
      break;
    case Op::Kind::read:
      io_uring_prep_read(sqe, op.fd, op.data, static_cast<unsigned>(op.bytes), 0);
      break;
  }
  if (op.poll_first) sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
  // The one place where user_data is set.
  io_uring_sqe_set_data64(sqe, reinterpret_cast<uint64_t>(&op));
}

void Ring::submit(Op& op) noexcept {
  BW_ASSERT(!op.in_flight);
  BW_ASSERT(op.on_complete != nullptr);
  op.in_flight = true;
  impl_->in_flight++;
  impl_->fill(impl_->next_sqe(), op);
}

void Ring::cancel(Op& op) noexcept {
  if (!op.in_flight) return;
  io_uring_sqe* const sqe = impl_->next_sqe();
  io_uring_prep_cancel64(sqe, reinterpret_cast<uint64_t>(&op), 0);
  io_uring_sqe_set_data64(sqe, 0);
}

void Ring::wait(int64_t wait_ns) noexcept {
  io_uring& ring = impl_->ring;
  io_uring_cqe* first = nullptr;
  impl_->count_enter();
  if (wait_ns != 0) impl_->counts.waits++;
  if (wait_ns == 0) {
    io_uring_submit_and_get_events(&ring);
  } else if (wait_ns < 0) {
    io_uring_submit_and_wait(&ring, 1);
  } else {
    __kernel_timespec limit{.tv_sec = wait_ns / second_ns, .tv_nsec = wait_ns % second_ns};
    io_uring_submit_and_wait_timeout(&ring, &first, 1, &limit, nullptr);
  }
  // An error of the wait itself (ETIME, EINTR, EBUSY) needs no answer: what completed is in the queue.
  std::vector<Completion>& taken = impl_->taken;
  taken.clear();
  unsigned head = 0;
  io_uring_cqe* cqe = nullptr;
  uint32_t seen = 0;
  io_uring_for_each_cqe(&ring, head, cqe) {
    seen++;
    Op* const op = reinterpret_cast<Op*>(io_uring_cqe_get_data64(cqe));
    if (op == nullptr) continue;
    op->landed = true;
    taken.push_back({op, cqe->res, cqe->flags});
  }
  io_uring_cq_advance(&ring, seen);
  impl_->counts.completions += taken.size();
}

void Ring::dispatch() noexcept {
  for (const Completion& completion : impl_->taken) {
    Op& op = *completion.op;
    op.landed = false;
    op.result = completion.result;
    op.more = (completion.flags & IORING_CQE_F_MORE) != 0;
    op.buffer_selected = (completion.flags & IORING_CQE_F_BUFFER) != 0;
    op.buffer_id = static_cast<uint16_t>(completion.flags >> IORING_CQE_BUFFER_SHIFT);
    if (!op.more) {
      op.in_flight = false;
      impl_->in_flight--;
    }
    op.on_complete(op);  // `op` may be gone after this
  }
}

bool Ring::make_group(uint16_t group_id, char* base, size_t bytes, size_t stride, uint32_t count) noexcept {
  if (impl_->groups.size() <= group_id) impl_->groups.resize(group_id + 1u);
  Group& group = impl_->groups[group_id];
  BW_ASSERT(group.ring == nullptr);
  void* memory = nullptr;
  if (posix_memalign(&memory, 4096, count * sizeof(io_uring_buf)) != 0) return false;
  group.ring = static_cast<io_uring_buf_ring*>(memory);
  group.base = base;
  group.bytes = bytes;
  group.stride = stride;
  group.count = count;
  io_uring_buf_ring_init(group.ring);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(group.ring);
  registration.ring_entries = count;
  registration.bgid = group_id;
  if (io_uring_register_buf_ring(&impl_->ring, &registration, 0) != 0) {
    std::free(group.ring);
    group.ring = nullptr;
    return false;
  }
  return true;
}

void Ring::provide(uint16_t group_id, uint16_t buffer_id) noexcept {
  const Group& group = impl_->groups[group_id];
  io_uring_buf_ring_add(group.ring, group.base + buffer_id * group.stride, static_cast<unsigned>(group.bytes),
                        buffer_id, io_uring_buf_ring_mask(group.count), 0);
  io_uring_buf_ring_advance(group.ring, 1);
}

uint32_t Ring::in_flight() const noexcept {
  return impl_->in_flight;
}
const RingCounts& Ring::counts() const noexcept {
  return impl_->counts;
}

RingFeatures probe_ring_features() {
  RingFeatures features;
  io_uring ring{};
  const int status = set_up(ring, 8);
  if (status < 0) {
    features.why = explain_setup_failure(-status);
    features.summary = "kernel " + kernel_release() + ": io_uring not usable";
    return features;
  }
  features.summary = "kernel " + kernel_release() + ": io_uring with SINGLE_ISSUER, DEFER_TASKRUN";
  features.usable = true;
  io_uring_probe* const probe = io_uring_get_probe_ring(&ring);
  for (const Operation& operation : operations) {
    if (probe != nullptr && io_uring_opcode_supported(probe, operation.code)) continue;
    features.usable = false;
    features.why = "this kernel's io_uring lacks the operation " + std::string(operation.name) +
                   ": Linux 6.1 or newer is required";
  }
  if (probe != nullptr) io_uring_free_probe(probe);

  void* memory = nullptr;
  io_uring_buf_reg registration{};
  if (posix_memalign(&memory, 4096, 4096) == 0) {
    registration.ring_addr = reinterpret_cast<uint64_t>(memory);
    registration.ring_entries = 8;
    if (io_uring_register_buf_ring(&ring, &registration, 0) == 0) {
      features.summary += ", provided-buffer rings";
    } else {
      features.usable = false;
      features.why = "this kernel's io_uring lacks provided-buffer rings: Linux 6.1 or newer is required";
    }
  }
  features.summary += io_uring_register_ring_fd(&ring) == 1 ? ", registered ring" : ", no registered ring";
  const int enabled = enable(ring);  // last: before, all may be tried
  if (enabled < 0) {
    features.usable = false;
    features.why = explain_enable_failure(-enabled);
  } else {
    features.summary += ", restricted to " + std::to_string(std::size(operations)) + " operations";
  }
  io_uring_queue_exit(&ring);
  std::free(memory);
  return features;
}

}  // namespace breakwater
