#include "proxy/listener.h"

#include <algorithm>

#include "base/reserve.h"
#include "proxy/limits.h"
#include "proxy/session.h"
#include "ring/sys.h"

namespace breakwater::proxy {

namespace {
constexpr uint32_t sessions_of_the_reserve = 256;
}

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
  if (worker_.session_count >= limit + refusals_max || !has_memory()) {
    stats.connections_refused.add();
    sys::reset_on_close(fd);
    sys::close(fd);
    return;
  }
  const bool refuse = worker_.session_count >= limit && !make_room();
  Session* const session = new Session(worker_, site_, fd, refuse);
  worker_.scope.spawn(Session::run(session));
}

// Without a reserve, as many as it feeds, or fewer than there were when it went: their frames are kept, and a
// quarter is for what they ask.
bool Listener::has_memory() noexcept {
  if (reserve::hold()) {
    sessions_that_fit_ = UINT32_MAX;
    return true;
  }
  if (sessions_that_fit_ == UINT32_MAX)
    sessions_that_fit_ = std::max(worker_.session_count / 4 * 3, sessions_of_the_reserve);
  return worker_.session_count < sessions_that_fit_;
}

// Those that only keep connections open shall not keep others out.
bool Listener::make_room() noexcept {
  IdleClient* const longest = worker_.idle_clients.front();
  if (longest == nullptr || worker_.core.now_ns() - longest->since_ns < idle_patience_ns) return false;
  longest->unlink();
  longest->receiver.cancel();
  worker_.core.stats().idle_clients_closed.add();
  return true;
}

}  // namespace breakwater::proxy
