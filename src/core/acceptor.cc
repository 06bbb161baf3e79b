#include "core/acceptor.h"

#include <cerrno>
#include <utility>

#include "ring/sys.h"

namespace breakwater {

namespace {
constexpr int64_t pause_ns = 100'000'000;  // between looks for free descriptors
}

Acceptor::Acceptor(Core& core, int fd, Admit admit, void* context) noexcept
    : core_(core),
      fd_(fd),
      admit_(admit),
      context_(context),
      resume_([](void* self) { static_cast<Acceptor*>(self)->start(); }, this) {
  accept_.kind = Op::Kind::accept;
  accept_.fd = fd;
  accept_.on_complete = on_accept;
  accept_.context = this;
}

Acceptor::~Acceptor() {
  close_socket();
}

void Acceptor::start() noexcept {
  core_.ring().submit(accept_);
}

void Acceptor::stop() noexcept {
  stopped_ = true;
  resume_.disarm();
  if (accept_.in_flight)
    core_.ring().cancel(accept_);
  else
    close_socket();
}

void Acceptor::close_socket() noexcept {
  if (fd_ >= 0) sys::close(std::exchange(fd_, -1));
}

void Acceptor::on_accept(Op& op) {
  Acceptor& self = *static_cast<Acceptor*>(op.context);
  if (op.result >= 0) self.admit_(self.context_, op.result);
  if (op.in_flight) return;  // more will come
  if (self.stopped_) return self.close_socket();
  const bool is_exhausted =
      op.result == -EMFILE || op.result == -ENFILE || op.result == -ENOBUFS || op.result == -ENOMEM;
  if (!is_exhausted) return self.start();
  self.core_.stats().accept_pauses.add();
  self.core_.timers().arm(self.resume_, self.core_.now_ns() + pause_ns);
}

}  // namespace breakwater
