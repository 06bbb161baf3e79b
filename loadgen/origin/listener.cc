#include "origin/listener.h"

#include "ring/sys.h"

namespace breakwater::storm::origin {

Listener::Listener(Worker& worker, int fd, bool is_control) noexcept
    : worker_(worker),
      is_control_(is_control),
      acceptor_(
          worker.core, fd, [](void* self, int client) { static_cast<Listener*>(self)->admit(client); },
          this) {}

void Listener::admit(int fd) {
  if (acceptor_.is_stopped() || worker_.scope.running() >= connections_max) {
    sys::reset_on_close(fd);
    sys::close(fd);
    return;
  }
  Session* const session = new Session(worker_, fd, is_control_);
  worker_.scope.spawn(Session::run(session));
}

}  // namespace breakwater::storm::origin
