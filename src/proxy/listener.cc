#include "proxy/listener.h"

#include <cerrno>

#include "proxy/limits.h"
#include "proxy/session.h"
#include "ring/sys.h"

namespace breakwater::proxy {

namespace {
constexpr int64_t pause_ns = 100'000'000;  // between looks for free descriptors
}

Listener::Listener(Worker& worker, const Site& site, int fd) noexcept
    : worker_(worker), site_(site), fd_(fd), resume_(on_resume, this) {
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
  if (accept_.in_flight) {
    worker_.core.ring().cancel(accept_);
    return;
  }
  close_socket();
}

void Listener::close_socket() noexcept {
  if (fd_ >= 0) sys::close(fd_);
  fd_ = -1;
}

void Listener::on_accept(Op& op) {
  Listener& self = *static_cast<Listener*>(op.context);
  if (op.result >= 0) self.admit(op.result);
  if (op.in_flight) return;  // more will come
  if (self.stopped_) return self.close_socket();
  const bool exhausted =
      op.result == -EMFILE || op.result == -ENFILE || op.result == -ENOBUFS || op.result == -ENOMEM;
  if (!exhausted) return self.start();
  self.worker_.core.stats().accept_pauses.add();
  self.worker_.core.timers().arm(self.resume_, self.worker_.core.now_ns() + pause_ns);
}

void Listener::on_resume(void* context) {
  static_cast<Listener*>(context)->start();
}

void Listener::admit(int fd) noexcept {
  Stats& stats = worker_.core.stats();
  stats.connections_accepted.add();
  const uint32_t limit = worker_.config.limits.connections;
  if (worker_.session_count >= limit + refusals_max) {
    stats.connections_refused.add();
    sys::reset_on_close(fd);
    sys::close(fd);
    return;
  }
  const bool refuse = worker_.session_count >= limit;
  Session* const session = new Session(worker_, site_, fd, refuse);
  worker_.scope.spawn(Session::run(session));
}

}  // namespace breakwater::proxy
