#include "origin/listener.h"

#include <cerrno>
#include <utility>

#include "ring/sys.h"

namespace breakwater::storm::origin {

namespace {
constexpr int64_t pause_ns = 100'000'000;  // between looks for free descriptors
}

Listener::Listener(Worker& worker, int fd, bool is_control) noexcept
    : worker_(worker),
      fd_(fd),
      is_control_(is_control),
      resume_([](void* self) { static_cast<Listener*>(self)->start(); }, this) {
  accept_.kind = Op::Kind::accept;
  accept_.fd = fd;
  accept_.on_complete = on_accept;
  accept_.context = this;
}

Listener::~Listener() {
  close_socket();
}

void Listener::start() noexcept {
  worker_.core.ring().submit(accept_);
}

void Listener::stop() noexcept {
  stopped_ = true;
  resume_.disarm();
  if (accept_.in_flight)
    worker_.core.ring().cancel(accept_);
  else
    close_socket();
}

void Listener::close_socket() noexcept {
  if (fd_ >= 0) sys::close(std::exchange(fd_, -1));
}

void Listener::on_accept(Op& op) {
  Listener& self = *static_cast<Listener*>(op.context);
  if (op.result >= 0) self.admit(op.result);
  if (op.in_flight) return;  // more will come
  if (self.stopped_) return self.close_socket();
  const bool is_exhausted =
      op.result == -EMFILE || op.result == -ENFILE || op.result == -ENOBUFS || op.result == -ENOMEM;
  if (!is_exhausted) return self.start();
  self.worker_.core.timers().arm(self.resume_, self.worker_.core.now_ns() + pause_ns);
}

void Listener::admit(int fd) {
  if (stopped_ || worker_.scope.running() >= connections_max) {
    sys::reset_on_close(fd);
    sys::close(fd);
    return;
  }
  Session* const session = new Session(worker_, fd, is_control_);
  worker_.scope.spawn(Session::run(session));
}

}  // namespace breakwater::storm::origin
