// Listener: accepts client connections of one configured listen on one core and starts a session for each.
//
// On a SO_REUSEPORT socket of this core's own. At the connection limit new clients get a 503.
#pragma once

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

  Worker& worker_;
  const Site& site_;
  Acceptor acceptor_;
};

}  // namespace breakwater::proxy
