// Listener: accepts client connections of one configured listen on one core and starts a session for each.
//
// On a SO_REUSEPORT socket of this core's own. At the connection limit new clients take the places of idle
// ones, or get a 503.
#pragma once

#include <cstdint>

#include "core/acceptor.h"
#include "proxy/worker.h"

namespace breakwater::proxy {

class Listener {
 public:
  // Takes over `fd`, a listening socket.
  Listener(Worker& worker, const Site& site, int fd) noexcept;

  void start() noexcept { acceptor_.start(); }
  void stop() noexcept { acceptor_.stop(); }

 private:
  void admit(int fd) noexcept;
  // True if a client that has been idle for a while gives its place up.
  bool make_room() noexcept;
  // True if there is memory for one more.
  bool has_memory() noexcept;

  Worker& worker_;
  const Site& site_;
  uint32_t sessions_that_fit_ = UINT32_MAX;  // while the reserve is gone
  Acceptor acceptor_;
};

}  // namespace breakwater::proxy
