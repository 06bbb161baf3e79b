#include "proxy/listener.h"

#include "proxy/limits.h"
#include "proxy/session.h"
#include "ring/sys.h"

namespace breakwater::proxy {

Listener::Listener(Worker& worker, const Site& site, int fd) noexcept
    : worker_(worker),
      site_(site),
      acceptor_(
          worker.core, fd, [](void* self, int client) { static_cast<Listener*>(self)->admit(client); },
          this) {}

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
